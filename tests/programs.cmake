# Tests of whole programs, and what the unit tests of apps/lib need beside doctest.

if(TARGET test_apps)
  target_sources(test_apps PRIVATE apps/tiny_run.cpp)
endif()
