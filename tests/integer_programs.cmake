# What the integer engine's tests need beside doctest: shared random programs, tools that the Python interpreter is
# compared with, and the proof that the portable sources contain no float.

if(TARGET test_integer)
  pare_library(pare_random_programs integer/random_layer.cpp integer/random_program.cpp)
  target_link_libraries(pare_random_programs PUBLIC pare_integer)
  target_link_libraries(test_integer PRIVATE pare_random_programs)
  # All 2^32 accumulators: worth an optimizer.
  set_source_files_properties(integer/arithmetic_test.cpp PROPERTIES COMPILE_OPTIONS -O3)

  # 100,000 random layers under every instruction set of this processor, and up to as many of forms that few of these have.
  add_test(NAME integer.sweep COMMAND test_integer "--test-case=every instruction set*,*reference's codes*")
  set_tests_properties(integer.sweep PROPERTIES LABELS slow TIMEOUT 7200 ENVIRONMENT PARE_LAYERS=100000)

  pare_executable(dump_tensors integer/dump_tensors.cpp)
  target_link_libraries(dump_tensors PRIVATE pare_integer ZLIB::ZLIB)
  pare_executable(write_random_models integer/write_random_models.cpp)
  target_link_libraries(write_random_models PRIVATE pare_random_programs)

  find_program(PARE_PYTHON python3)
  if(PARE_PYTHON)
    add_test(NAME interpreter COMMAND ${PARE_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/interpreter/interpreter_test.py
                                      ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
    set_tests_properties(interpreter PROPERTIES LABELS fast TIMEOUT 600)
  else()
    message(STATUS "python3 is missing: the independent interpreter of model.pare is not tested")
  endif()

  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # clang refuses the standard library's headers there
    add_test(NAME integer_without_float COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/integer/without_float.sh
                                                ${CMAKE_CXX_COMPILER} ${CMAKE_SOURCE_DIR})
    set_tests_properties(integer_without_float PROPERTIES LABELS fast TIMEOUT 600)
  endif()
endif()
