// A mapping file, and an object that it is applied to, with a NUL between them.
#include "backend/kubernetes/cache/records.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using namespace sluice::backend::kubernetes;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\0'), size);
  const auto mapping = parse_mapping(text.substr(0, end), "mapping.yaml");
  if (!mapping) return 0;
  const auto object = json::parse(text.substr(std::min(end + 1, size)));
  if (!object || !object->is_object()) return 0;
  for (const GroupKind& kind : mapping->kinds()) {
    const WorkloadRecord record = read_workload(object->get_object(), kind, *mapping);
    for (const MatchedRow& row : record.rows) {
      // The resolver counts on it: one list of values for each selector of the row.
      if (row.pod_values.size() != mapping->rows.at(row.row).pods.size()) __builtin_trap();
    }
  }
  return 0;
}
