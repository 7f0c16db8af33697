# Exported programs under compilers and through readers of their own.

if(TARGET pare_app)
  pare_test(exporters pare_app pare_random_programs)
  pare_executable(export_random_c99 exporters/export_random_c99.cpp)
  target_link_libraries(export_random_c99 PRIVATE pare_exporters pare_random_programs)
  pare_executable(export_random_files exporters/export_random_files.cpp)
  target_link_libraries(export_random_files PRIVATE pare_exporters pare_random_programs)
  #   pare_generated_c(NAME SCRIPT COUNT): random programs as generated C
  function(pare_generated_c name script count)
    add_test(NAME exporters.${name}
      COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/exporters/${script}
              ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${count})
    set_tests_properties(exporters.${name} PROPERTIES TIMEOUT 1200 LABELS fast)
  endfunction()
  pare_generated_c(c99.12 c99_test.py 12)
  pare_generated_c(c99.300 c99_test.py 300)
  set_tests_properties(exporters.c99.300 PROPERTIES LABELS slow TIMEOUT 3600)
  pare_generated_c(arena arena_test.py 24)
  pare_generated_c(hooks hooks_test.py 8)
  pare_generated_c(contents contents_test.py 8)
  add_test(NAME exporters.cortex_m
    COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/interop/cortex_m.py ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} --random 6)
  set_tests_properties(exporters.cortex_m PROPERTIES TIMEOUT 1200 LABELS fast SKIP_RETURN_CODE 77)
  add_test(NAME exporters.onnx
    COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/exporters/onnx_test.py ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} 150)
  set_tests_properties(exporters.onnx PROPERTIES TIMEOUT 300 LABELS fast)
endif()

if(TARGET export)
  pare_executable(export_damaged exporters/export_damaged.cpp)
  target_link_libraries(export_damaged PRIVATE pare_app)
  foreach(writer _ZN4pare13encode_tfliteERKNS_7integer7ProgramEbi _ZN4pare4onnx6encodeERKNS0_5GraphE
          _ZN4pare26encode_program_safetensorsERKNS_7integer7ProgramE)
    target_link_options(export_damaged PRIVATE LINKER:--wrap=${writer})
  endforeach()
  pare_program_tests(export_test.py 1800 Export Damaged)
endif()

# A package of instrumented libraries would ask its users for the sanitizers' own.
if(TARGET export AND TARGET pare_integer AND NOT CMAKE_BUILD_TYPE STREQUAL Sanitize)
  add_test(NAME programs.Package
    COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/programs/package_test.py
            ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR})
  set_tests_properties(programs.Package PROPERTIES LABELS fast TIMEOUT 600)
endif()
