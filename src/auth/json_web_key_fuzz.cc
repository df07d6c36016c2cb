// A key set from a file or an issuer: what becomes a key can be asked for signatures.
#include "auth/signature.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::auth;
  using enum SigningAlgorithm;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto set = JwkSet::parse(text);
  if (!set) return 0;
  for (const SigningAlgorithm algorithm : {Rs256, Ps384, Es256, Es384, Es512, EdDsa}) {
    for (const JsonWebKey* key : set->candidates(std::nullopt, algorithm)) {
      // No signature is one of this text: a yes is a defect.
      for (const std::size_t bytes : {64UL, 96UL, 132UL, 256UL}) {
        if (verify_signature(*key, algorithm, "text", std::string(bytes, '\1'))) __builtin_trap();
      }
    }
  }
  return 0;
}
