#include "cli/copy/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstring>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "cli/copy/checksum.h"
#include "cli/terminal/blocking_io.h"

namespace sluice::cli {
namespace {

/// Names are bytes to us; libarchive would turn those of a pax archive, which are UTF-8, into the
/// locale's characters.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) before_ = ::uselocale(locale_);
  }
  ~Utf8Locale() {
    if (locale_ == nullptr) return;
    ::uselocale(before_);
    ::freelocale(locale_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

FileAttributes attributes_of(archive_entry* entry) {
  return {archive_entry_perm(entry), {archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)}};
}

Result<> write_at(int file, const char* bytes, std::size_t size, std::int64_t offset) {
  while (size > 0) {
    const ssize_t count = ::pwrite(file, bytes, size, offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorCode::Internal, std::strerror(errno));
    bytes += count;
    size -= static_cast<std::size_t>(count);
    offset += count;
  }
  return {};
}

class Unpacking {
 public:
  Unpacking(int from, TargetDirectory& target, const std::stop_token& stop)
      : from_(from), target_(target), stop_(stop) {}

  Result<ReadArchive> run();

 private:
  static la_ssize_t read_block(archive* source, void* self, const void** block);
  Result<> unpack_entries();
  Result<> unpack(archive_entry* entry);
  Result<> unpack_file(archive_entry* entry, const char* name);
  Result<> write_content(archive_entry* entry, int file);
  Result<std::size_t> read_on();
  Error failure() const;

  int from_;
  TargetDirectory& target_;
  const std::stop_token& stop_;
  std::unique_ptr<archive, decltype(&archive_read_free)> archive_{archive_read_new(),
                                                                  &archive_read_free};
  std::vector<std::byte> block_ = std::vector<std::byte>(kBlockBytes);
  Sha256 sum_;
  Result<> source_;  // how reading from it went
  ReadArchive read_;
};

Result<ReadArchive> Unpacking::run() {
  archive_read_support_format_tar(archive_.get());
  if (archive_read_open(archive_.get(), this, nullptr, &Unpacking::read_block, nullptr) !=
      ARCHIVE_OK) {
    return fail(failure());
  }
  TRY_VOID(unpack_entries());
  while (true) {  // what stands behind the archive's end fills a record
    TRY(const std::size_t count, read_on());
    if (count == 0) break;
  }
  TRY_VOID(target_.finish());
  read_.sha256 = sum_.hex();
  return std::move(read_);
}

Result<> Unpacking::unpack_entries() {
  while (true) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(archive_.get(), &entry);
    if (status == ARCHIVE_EOF) return {};
    if (status < ARCHIVE_WARN) return fail(failure());
    const Result<> unpacked = unpack(entry);
    if (unpacked) continue;
    if (unpacked.error().code != ErrorCode::InvalidArgument) return unpacked;
    read_.refused.add(unpacked.error().message);
  }
}

Result<> Unpacking::unpack(archive_entry* entry) {
  const char* name = archive_entry_pathname(entry);
  if (name == nullptr) return fail(ErrorCode::InvalidArgument, "an entry without a name");
  if (const char* existing = archive_entry_hardlink(entry); existing != nullptr) {
    return target_.make_hard_link(name, existing);
  }
  const FileAttributes attributes = attributes_of(entry);
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG: return unpack_file(entry, name);
    case AE_IFDIR: return target_.make_directory(name, attributes);
    case AE_IFLNK: {
      const char* target = archive_entry_symlink(entry);
      return target_.make_symbolic_link(name, target == nullptr ? "" : target, attributes.modified);
    }
    default:
      return fail(ErrorCode::InvalidArgument,
                  fmt::format("{}: is no file, directory or link", name));
  }
}

/// One that can't be written whole is removed.
Result<> Unpacking::unpack_file(archive_entry* entry, const char* name) {
  TRY(const UniqueFd file, target_.make_file(name));
  Result<> written = write_content(entry, file.get());
  if (written) written = TargetDirectory::finish_file(file.get(), attributes_of(entry));
  if (written) return {};
  (void)target_.remove_file(name);  // the first error tells more
  Error error = written.error();
  if (error.code == ErrorCode::Internal) error.message = fmt::format("{}: {}", name, error.message);
  return fail(std::move(error));
}

/// Blocks have offsets: what lies between them is a hole.
Result<> Unpacking::write_content(archive_entry* entry, int file) {
  std::int64_t end = 0;
  while (true) {
    const void* bytes = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(archive_.get(), &bytes, &size, &offset);
    if (status == ARCHIVE_EOF) break;
    if (status < ARCHIVE_WARN) return fail(failure());
    TRY_VOID(write_at(file, static_cast<const char*>(bytes), size, offset));
    end = offset + static_cast<std::int64_t>(size);
  }
  if (end < archive_entry_size(entry) && ::ftruncate(file, archive_entry_size(entry)) != 0) {
    return fail(ErrorCode::Internal, std::strerror(errno));
  }
  return {};
}

Result<std::size_t> Unpacking::read_on() {
  if (stop_.stop_requested()) return fail(cancelled());
  TRY(const std::size_t count, read_some(from_, block_));
  sum_.add({block_.data(), count});
  return count;
}

la_ssize_t Unpacking::read_block(archive* /*source*/, void* self, const void** block) {
  auto& unpacking = *static_cast<Unpacking*>(self);
  const Result<std::size_t> count = unpacking.read_on();
  *block = unpacking.block_.data();
  if (count) return static_cast<la_ssize_t>(*count);
  unpacking.source_ = std::unexpected(count.error());
  return ARCHIVE_FATAL;
}

Error Unpacking::failure() const {
  if (!source_) return source_.error();
  const char* reason = archive_error_string(archive_.get());
  return {ErrorCode::Unavailable,
          fmt::format("the archive is cut short or damaged: {}", reason == nullptr ? "" : reason)};
}

}  // namespace

Result<ReadArchive> unpack_archive(int from, TargetDirectory& target, const std::stop_token& stop) {
  const Utf8Locale locale;
  return Unpacking(from, target, stop).run();
}

}  // namespace sluice::cli
