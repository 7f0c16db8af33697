# configs/techniques, docs/techniques.md and `inspect --techniques` agree (tests/techniques/README.md).
set(techniques Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/techniques/techniques_test.py
    ${CMAKE_RUNTIME_OUTPUT_DIRECTORY} ${CMAKE_SOURCE_DIR})
add_test(NAME techniques COMMAND ${techniques})
set_tests_properties(techniques PROPERTIES LABELS fast TIMEOUT 300)
add_test(NAME techniques.smoke COMMAND ${techniques} --smoke)
set_tests_properties(techniques.smoke PROPERTIES LABELS slow TIMEOUT 3600)
