# Every command of README and docs is run as a reader would run it (tests/docs/commands.py), one test a page.

file(GLOB pages RELATIVE ${CMAKE_SOURCE_DIR} CONFIGURE_DEPENDS
     ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/CONTRIBUTING.md
     ${CMAKE_SOURCE_DIR}/docs/*.md ${CMAKE_SOURCE_DIR}/docs/results/*.md)
foreach(page ${pages})
  file(STRINGS ${CMAKE_SOURCE_DIR}/${page} commands REGEX "^(    )?(\\./pare|benchmarks/|for |env ) ?")
  if(commands)
    string(REPLACE "/" "." name ${page})
    add_test(NAME docs.${name}
      COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/docs/commands.py
              ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${CMAKE_SOURCE_DIR} ${page})
    # Pages of results repeat whole experiments, if only as smoke runs.
    string(REGEX MATCH "^docs/results/" results ${page})
    set_tests_properties(docs.${name} PROPERTIES TIMEOUT 600 LABELS $<IF:$<BOOL:${results}>,slow,fast>)
  endif()
endforeach()
