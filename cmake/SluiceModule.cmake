# sluice_module(name SOURCES … [LINKS …] [PUBLIC_LIBRARIES …] [LIBRARIES …] [TESTS …] [TEST_LINKS …] [FUZZ …] [IO])
#
# One declaration makes a module: the static library sluice_<name>, its unit test program
# <name>_test (run by ctest), one fuzz target per file in FUZZ, and the facts that
# tools/check_layers compares with ARCHITECTURE.md.
#   LINKS             the sluice modules it may include
#   PUBLIC_LIBRARIES  third-party libraries that its headers show
#   LIBRARIES         third-party libraries that only its sources use
#   TEST_LINKS        modules that only its tests and fuzz targets include
#   IO                it uses Asio (through net): shares net's precompiled header
include(GoogleTest)

function(sluice_module name)
  cmake_parse_arguments(ARG "IO" ""
    "SOURCES;LINKS;PUBLIC_LIBRARIES;LIBRARIES;TESTS;TEST_LINKS;FUZZ" ${ARGN})
  set(target sluice_${name})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE ${ARG_LIBRARIES})
    if(ARG_IO AND NOT name STREQUAL "net")
      target_link_libraries(${target} PRIVATE fmt::fmt)  # its definitions are in the precompiled header
      target_precompile_headers(${target} REUSE_FROM sluice_net)
    endif()
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${target} ${scope} ${ARG_PUBLIC_LIBRARIES} Threads::Threads)
  foreach(link IN LISTS ARG_LINKS)
    target_link_libraries(${target} ${scope} sluice_${link})
  endforeach()

  if(ARG_TESTS)
    add_executable(${name}_test ${ARG_TESTS})
    target_link_libraries(${name}_test PRIVATE ${target} GTest::gmock_main)
    foreach(link IN LISTS ARG_TEST_LINKS)
      target_link_libraries(${name}_test PRIVATE sluice_${link})
    endforeach()
    if(ARG_IO)
      target_link_libraries(${name}_test PRIVATE fmt::fmt)
      target_precompile_headers(${name}_test REUSE_FROM sluice_net)
    endif()
    add_test(NAME ${name}_test COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name}_test PROPERTIES TIMEOUT 600)  # seconds: one that hangs says which
  endif()

  if(SLUICE_FUZZ)
    foreach(source IN LISTS ARG_FUZZ)
      get_filename_component(fuzz ${source} NAME_WE)
      add_executable(${fuzz} ${source})
      target_link_libraries(${fuzz} PRIVATE ${target})
      foreach(link IN LISTS ARG_TEST_LINKS)
        target_link_libraries(${fuzz} PRIVATE sluice_${link})
      endforeach()
      if(ARG_IO)
        target_link_libraries(${fuzz} PRIVATE fmt::fmt)
        target_precompile_headers(${fuzz} REUSE_FROM sluice_net)
      endif()
      target_link_options(${fuzz} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()
