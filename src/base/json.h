// JSON, confined: the one header that names the JSON library (Boost.JSON). Parsing is strict (RFC
// 8259, no duplicate member names) and bounded; writing escapes everything a log or a browser could
// trip over.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>

#include "base/result.h"

namespace sluice::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

inline constexpr std::size_t kMaxDepth = 32;
/// For objects of a Kubernetes cluster, which may nest as their definitions please.
inline constexpr std::size_t kDeep = 200;

/// Errors: InvalidArgument, saying at which byte.
Result<value> parse(std::string_view text, std::size_t max_depth = kMaxDepth);
std::string serialize(const value& value);

/// The member if it is there and of that type, else nullptr.
const value* find(const object& object, std::string_view name);
std::optional<std::string_view> find_string(const object& object, std::string_view name);
const array* find_array(const object& object, std::string_view name);
const json::object* find_object(const json::object& object, std::string_view name);
/// Whole numbers only; a double that is whole (RFC 7519 NumericDate allows it) counts.
std::optional<std::int64_t> find_int64(const object& object, std::string_view name);

// The same where a member that is missing, or of another type, reads as an empty one.
std::string text_of(const object& object, std::string_view name);
const json::object& object_of(const json::object& object, std::string_view name);
const array& list_of(const object& object, std::string_view name);
bool flag_of(const object& object, std::string_view name);

}  // namespace sluice::json
