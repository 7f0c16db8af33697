# What a run survives (tests/reliability/README.md): faults, kills, signals, threads and dirty memory.
# docs/reliability.md has the numbers.

if(TARGET train)
  add_library(faults SHARED reliability/faults.cpp)
  pare_options(faults)
  set_target_properties(faults PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
  pare_executable(train_filled reliability/train_filled.cpp)
  target_link_libraries(train_filled PRIVATE pare_app)

  #   pare_reliability(NAME LABEL SCRIPT ARGUMENTS...)
  function(pare_reliability name label script)
    add_test(NAME reliability.${name}
      COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/reliability/${script}
              ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${ARGN})
    set_tests_properties(reliability.${name} PROPERTIES LABELS ${label} TIMEOUT 3600)
  endfunction()

  pare_reliability(Checkpoint fast faults_test.py CheckpointTest)
  pare_reliability(Damage fast faults_test.py DamageTest)
  pare_reliability(FullDisk fast faults_test.py FullDiskTest)
  pare_reliability(Signals fast signals_test.py)
  pare_reliability(Determinism fast determinism_test.py ${CMAKE_SOURCE_DIR} PipelineTest)
  pare_reliability(EveryConfig slow determinism_test.py ${CMAKE_SOURCE_DIR} EveryConfigTest)
  pare_reliability(Kills fast kills.py --kills 10)
  pare_reliability(Kills500 slow kills.py --kills 500)
  pare_reliability(ExperimentKills20 slow experiment_kills.py --kills 20)
endif()
