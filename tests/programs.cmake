# Tests of whole programs, and what the unit tests of apps/lib need beside doctest.

if(TARGET test_apps)
  target_sources(test_apps PRIVATE apps/tiny_run.cpp apps/key_rows.cpp io/keras_writer.cpp)
  target_link_libraries(test_apps PRIVATE hdf5::hdf5)
  # Techniques combined at random: many more of them than among the fast tests.
  add_test(NAME apps.random COMMAND test_apps --test-case=random\ configs\ train*)
  set_tests_properties(apps.random PROPERTIES LABELS slow TIMEOUT 7200 ENVIRONMENT PARE_CONFIGS=1000)
endif()

# docs/config.md and docs/config.schema.json, written anew (tests/apps/config_reference_test.cpp holds them to it).
if(TARGET pare_app)
  pare_executable(write_config_reference programs/write_config_reference.cpp)
  target_link_libraries(write_config_reference PRIVATE pare_app)
  target_compile_definitions(write_config_reference PRIVATE PARE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  set_target_properties(write_config_reference PROPERTIES EXCLUDE_FROM_ALL TRUE)
  add_custom_target(config_reference COMMAND write_config_reference VERBATIM)
endif()

# For the tools of tests/interop, which people run by hand.
if(TARGET pare_app)
  pare_executable(weights interop/weights.cpp)
  target_link_libraries(weights PRIVATE pare_app)
endif()

find_package(Python3 REQUIRED COMPONENTS Interpreter)

if(TARGET train AND TARGET infer)
  pare_executable(write_digits programs/write_digits.cpp)
  target_link_libraries(write_digits PRIVATE pare_datasets)

  if(TARGET fetch)
    pare_executable(fetch_files programs/fetch_files.cpp)
    target_link_libraries(fetch_files PRIVATE pare_app)
    pare_program_tests(data_test.py 600 Fetch OwnData)
  endif()

  if(TARGET evaluate AND TARGET inspect)
    pare_program_tests(apps_test.py 600 Bench Evaluate Inspect InitFrom Target)
  endif()

  pare_program_tests(programs_test.py 600 Smoke Infer Colour ExitCode Resume)
endif()

if(TARGET experiment)
  add_test(NAME programs.Experiment
    COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/programs/experiment_test.py
            ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${CMAKE_SOURCE_DIR})
  set_tests_properties(programs.Experiment PROPERTIES LABELS fast TIMEOUT 1200)
endif()
