# Compiler options shared by every target: C++23, warnings as errors, hardening, sanitizers.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# The same for libraries and programs, so that they share a precompiled header; none of them is a .so.
add_compile_options(-fPIE)
add_link_options(-pie)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set(CMAKE_SKIP_BUILD_RPATH ON)

set(SLUICE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them: address,undefined or thread")
option(SLUICE_FUZZ "Build the libFuzzer targets (clang only)" OFF)

add_compile_options(
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Werror
  -fno-omit-frame-pointer -fstack-protector-strong -fstack-clash-protection -fcf-protection)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports these inside Asio's coroutines and std::expected, where they do not hold.
  # -fpch-preprocess: lets ccache cache what uses a precompiled header.
  add_compile_options(-fpch-preprocess -fcoroutines -Wno-maybe-uninitialized -Wno-mismatched-new-delete
                      -Wno-missing-field-initializers -Wno-stringop-overflow -Wno-array-bounds
                      -Wno-restrict -Wno-dangling-pointer)
else()
  # No time stamp in the precompiled header: lets ccache cache what uses it.
  add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  add_compile_options(-Wno-missing-field-initializers -Wno-missing-designated-field-initializers)
endif()

add_compile_definitions(
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_DATE_TIME BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_ASIO_DISABLE_FENCED_BLOCK)

set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # tests/e2e/test_hardening.py looks for each of these in what is built.
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -ffunction-sections -fdata-sections)
  add_link_options(-s -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,-z,shstk
                   -Wl,--gc-sections)
endif()
# lld links several times faster than ld; g++ finds it by directory, not by version.
add_link_options(-B/usr/lib/llvm-19/bin -fuse-ld=lld)

if(SLUICE_SANITIZE)
  add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SLUICE_SANITIZE})
endif()
