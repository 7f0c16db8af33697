# pare_library(NAME [SOURCES...]) and pare_executable(NAME [SOURCES...]): the compiler flags of every target, in one place.
#
# -ffp-contract=off: a product and a sum are never fused behind our back, so results do not depend on the
# compiler's mood. Kernels that want a fused multiply-add say so (std::fma or the intrinsic).
# -fopenmp-simd: OpenMP's directives for vectorisation, and nothing of its threads; those are parallel_for's business.

function(pare_options target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_include_directories(${target} PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
  target_compile_options(${target} PRIVATE
    -ffp-contract=off -fno-math-errno -fopenmp-simd -Wall -Wextra -Wshadow -Wpedantic $<$<BOOL:${PARE_WERROR}>:-Werror>
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)  # false alarms on std::string in gcc 12 (its bug 105651)
endfunction()

function(pare_library target)
  add_library(${target} STATIC ${ARGN})
  pare_options(${target})
endfunction()

function(pare_executable target)
  add_executable(${target} ${ARGN})
  pare_options(${target})
endfunction()

# gcc 12 makes wrong code of constants with AVX-512: eight numbers of 64 bits that its vectoriser of straight-line code
# stored at once, four ones and four zeros, became eight ones (windows without padding had some). Loops and our own vectors
# do not pass through it.
set(PARE_RIGHT_CONSTANTS $<$<CXX_COMPILER_ID:GNU>:-fno-tree-slp-vectorize>)

# Float code that is worth vectorising for the machine at hand. Results may differ between machines, never
# between runs or thread counts (docs/decisions.md).
function(pare_native target)
  if(PARE_NATIVE)
    target_compile_options(${target} PRIVATE -march=native ${PARE_RIGHT_CONSTANTS})
  endif()
endfunction()

# Code that runs once per run (options, configs, files, reports): a third less to compile, and nothing to be gained by
# more. Tests too. Never for what works on every weight or pixel.
function(pare_cold target)
  target_compile_options(${target} PRIVATE -O1)
endfunction()

# The headers that most sources of the target spend their time on, compiled once. Sources include what they use all the
# same: with ccache, which cannot share compiled headers between trees, they are off.
function(pare_precompile target)
  if(PARE_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
endfunction()
