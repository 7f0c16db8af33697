# Tests of the tree itself (tests/structure/README.md): what includes what, what must not be written,
# documents that keep up, the launcher, and what the integer-only program is linked with.

find_package(Python3 REQUIRED COMPONENTS Interpreter)

foreach(check includes lint docs)
  add_test(NAME structure.${check}
    COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_LIST_DIR}/structure/${check}.py ${CMAKE_SOURCE_DIR})
endforeach()
add_test(NAME structure.selftest
  COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_LIST_DIR}/structure/selftest.py)
add_test(NAME structure.launcher
  COMMAND ${CMAKE_CURRENT_LIST_DIR}/structure/launcher.sh ${CMAKE_SOURCE_DIR}/pare)
add_test(NAME structure.mutants
  COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_LIST_DIR}/mutation/mutate.py --check)
set(structure_tests structure.includes structure.lint structure.docs structure.selftest structure.launcher
    structure.mutants)

# The second test shows that the first can fail.
set(linkage ${CMAKE_CURRENT_LIST_DIR}/structure/linkage.sh)
if(TARGET infer)
  add_test(NAME structure.infer_links_integers_only
    COMMAND ${linkage} $<TARGET_FILE:infer> libopenblas libblas libhdf5 libcrypto)
  list(APPEND structure_tests structure.infer_links_integers_only)
endif()
if(TARGET train)
  add_test(NAME structure.linkage_notices_openblas COMMAND ${linkage} $<TARGET_FILE:train> libopenblas)
  set_tests_properties(structure.linkage_notices_openblas PROPERTIES WILL_FAIL TRUE)
  list(APPEND structure_tests structure.linkage_notices_openblas)
endif()

set_tests_properties(${structure_tests} PROPERTIES LABELS fast TIMEOUT 120)
