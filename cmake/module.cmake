# firesweep_module(NAME SOURCES a.c ... DEPENDS module ... LIBRARIES target ...)
#
# One static library per folder of src/. Headers are included as "module/file.h"
# through a link in the build tree that only dependents get on their include path.
function(firesweep_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  set(include_dir ${PROJECT_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${include_dir})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include_dir}/${name} SYMBOLIC)
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${include_dir})
  target_link_libraries(${name} PRIVATE firesweep_options PUBLIC ${ARG_DEPENDS} ${ARG_LIBRARIES})
endfunction()

# firesweep_test(NAME SOURCES a.c ... DEPENDS module ...): a cmocka program run by ctest.
function(firesweep_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  target_link_libraries(test_${name} PRIVATE firesweep_options ${ARG_DEPENDS} PkgConfig::cmocka)
  # gcc 12 at -O3 takes memory that open_memstream and getdelim return for the variable they return it in.
  target_compile_options(test_${name} PRIVATE $<$<C_COMPILER_ID:GNU>:-Wno-dangling-pointer>)
  add_test(NAME ${name} COMMAND test_${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT 300) # none takes a minute, even under sanitizers
endfunction()
