// Result<T>: a value or an Error, and the two macros that hand an Error to the caller. These macros
// are the only control flow that sluice hides; libstdc++ 12 has no expected::and_then.
#pragma once

#include <expected>
#include <utility>

#include "base/error.h"

namespace sluice {

template <typename T = void>
using Result = std::expected<T, Error>;

/// `return fail(ErrorCode::NotFound, "…")` in a function that returns any Result<T>.
inline std::unexpected<Error> fail(ErrorCode code, std::string message, std::string details = {}) {
  return std::unexpected(Error{code, std::move(message), std::move(details), {}, {}});
}

inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

}  // namespace sluice

#define SLUICE_CONCAT_INNER(a, b) a##b
#define SLUICE_CONCAT(a, b) SLUICE_CONCAT_INNER(a, b)
#define SLUICE_TRY_IMPL(result, exit, declaration, ...)         \
  auto result = (__VA_ARGS__);                                  \
  if (!result) exit std::unexpected(std::move(result).error()); \
  declaration = *std::move(result)
#define SLUICE_TRY_VOID_IMPL(result, exit, ...) \
  if (auto result = (__VA_ARGS__); !result) exit std::unexpected(std::move(result).error())

/// TRY(auto head, parse(bytes)): binds the value, or returns the error. CO_TRY in coroutines.
#define TRY(declaration, ...) \
  SLUICE_TRY_IMPL(SLUICE_CONCAT(result_, __LINE__), return, declaration, __VA_ARGS__)
#define TRY_VOID(...) SLUICE_TRY_VOID_IMPL(SLUICE_CONCAT(result_, __LINE__), return, __VA_ARGS__)
#define CO_TRY(declaration, ...) \
  SLUICE_TRY_IMPL(SLUICE_CONCAT(result_, __LINE__), co_return, declaration, __VA_ARGS__)
#define CO_TRY_VOID(...) \
  SLUICE_TRY_VOID_IMPL(SLUICE_CONCAT(result_, __LINE__), co_return, __VA_ARGS__)
