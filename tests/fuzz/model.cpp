// model.pare with its CRC-32 made right. What is accepted runs: the validator promises that no program
// can read out of bounds or overflow. One input of sixteen is also written again, which takes longer
// than all the rest: the writer tries every coding.
#include <algorithm>
#include <vector>

#include "compression/integer/engine.h"
#include "compression/integer/model_file.h"
#include "compression/integer/operations.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "framework/base/hash.h"
#include "tests/fuzz/input.h"

namespace pare::fuzz {
namespace {

constexpr std::uint32_t kWrittenAgain = 16;    // one input in so many
constexpr std::int64_t kMostWork = 200'000;  // codes of all tensors, times weights per code

std::int64_t size_of(const integer::Tensor& t) {
  return std::int64_t{t.height} * t.width * t.channels;
}

std::int64_t taps_of(const integer::Operation& operation) {
  if (const auto* op = std::get_if<integer::MaxPool2d>(&operation))
    return std::int64_t{op->window.kernel_h} * op->window.kernel_w;
  if (const auto* op = std::get_if<integer::AveragePool2d>(&operation))
    return std::int64_t{op->window.kernel_h} * op->window.kernel_w;
  if (const auto* op = std::get_if<integer::Conv2d>(&operation))
    return std::ssize(op->weights.codes);  // more than a channel has: on the safe side
  if (const auto* op = std::get_if<integer::DepthwiseConv2d>(&operation))
    return std::ssize(op->weights.codes);
  return 16;
}

bool small_enough(const integer::Program& program) {
  std::int64_t work = 0;
  for (const integer::Tensor& tensor : program.tensors) {
    work += size_of(tensor);
    if (work > kMostWork) return false;
  }
  for (const integer::Operation& operation : program.operations) {
    const auto& output = program.tensors[static_cast<std::size_t>(integer::output_of(operation))];
    work += size_of(output) * std::min(taps_of(operation), kMostWork);
    if (work > kMostWork) return false;
  }
  return true;
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
