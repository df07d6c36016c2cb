// The fields of a request's query string, read strictly (contract sections 5 and 10): a
// single-valued field may come once, a typed one must not be empty, and what nobody asks for is
// ignored. Every error is an InvalidArgument that names the field, what it was, and what it may be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace sluice::gateway {

/// Percent-decodes once; a '+' stays. nullopt: broken escape, or the result is not UTF-8.
std::optional<std::string> percent_decode(std::string_view text);

/// `text` in quotes for a message, cut when it is long.
std::string quoted(std::string_view text);

class Query {
 public:
  /// `raw` as it stood in the request target, without '?'. Errors: broken percent-encoding, not
  /// UTF-8.
  static Result<Query> parse(std::string_view raw);

  /// All values of a repeatable field, in order; valid as long as the query.
  std::vector<std::string_view> all(std::string_view field) const;
  /// Free text; an empty value counts as absent.
  Result<std::string> text(std::string_view field) const;
  /// As it was sent except for percent-encoding: '+' is not turned into a space.
  Result<std::optional<std::string>> verbatim(std::string_view field) const;
  /// As Go's ParseBool.
  Result<bool> boolean(std::string_view field, bool otherwise) const;
  Result<std::optional<std::int64_t>> integer(std::string_view field, std::int64_t min,
                                              std::int64_t max) const;
  /// A Go duration or whole seconds, not negative; seconds beyond what nanoseconds can hold are
  /// cut.
  Result<std::optional<nanoseconds>> duration(std::string_view field) const;
  /// RFC 3339.
  Result<std::optional<WallTime>> time(std::string_view field) const;
  /// Whether a field that has but one value was given with it.
  Result<bool> flag(std::string_view field, std::string_view only_value) const;

 private:
  struct Field {
    std::string name;
    std::string value;     // decoded as a form: '+' is a space
    std::string verbatim;  // percent-decoded only
  };
  /// The field if it was given once; nullptr when absent.
  Result<const Field*> single(std::string_view field) const;

  std::vector<Field> fields_;
};

}  // namespace sluice::gateway
