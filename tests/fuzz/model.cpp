// model.pare with its CRC-32 made right. What is accepted runs: the validator promises that no
// program can read out of bounds or overflow. One input of sixteen is also written again, which
// takes longer than all the rest: the writer tries every coding.
#include <vector>

#include "compression/integer/engine.h"
#include "compression/integer/geometry.h"
#include "compression/integer/model_file.h"
#include "framework/base/crc32.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "tests/fuzz/input.h"

namespace pare::fuzz {
namespace {

constexpr std::uint32_t kWrittenAgain = 16;  // one input in so many
constexpr std::int64_t kMostWork = 200'000;  // of a program that runs; the format allows 2^36

bool small_enough(const integer::Program& program) {
  std::int64_t work = integer::work_of(program);
  for (const integer::Tensor& tensor : program.tensors) work += tensor.size();
  return work <= kMostWork;
}

// Both ends of the input's range, in turn: the fast kernels and the plain loops agree.
void run(const integer::Program& program) {
  const integer::Engine fast(program), plain(program, {.reference = true, .kernels = {}});
  const auto& input = program.tensors[static_cast<std::size_t>(program.input)];
  std::vector<std::int8_t> codes(static_cast<std::size_t>(fast.input_size()));
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = static_cast<std::int8_t>(i % 3 == 0 ? input.code_min : input.code_max);
  std::vector<std::int8_t> a(static_cast<std::size_t>(fast.output_size())), b(a.size());
  fast.run(codes, a);
  plain.run(codes, b);
  require(a == b);
}

}  // namespace

void model(Bytes bytes) {
  ByteWriter file;
  const std::uint32_t checksum = crc32(bytes);
  file.bytes(bytes);
  file.u32(checksum);
  try {
    const integer::Program program = integer::decode_model(file.result(), "input");
    if (checksum % kWrittenAgain == 0)
      require(integer::decode_model(integer::encode_model(program), "again") == program);
    if (small_enough(program)) run(program);
  } catch (const DataError&) {
  }
}

}  // namespace pare::fuzz
