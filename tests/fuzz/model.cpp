// model.pare with its CRC-32 made right. What is accepted runs: the validator promises that no
// program can read out of bounds or overflow. One input of sixteen is also written again, which
// takes longer than all the rest: the writer tries every coding. Reading and running are held to
// their memory.
#include <optional>
#include <vector>

#include "compression/integer/engine.h"
#include "compression/integer/geometry.h"
#include "compression/integer/model_file.h"
#include "framework/base/crc32.h"
#include "framework/base/error.h"
#include "framework/base/file.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/limit.h"

namespace pare::fuzz {
namespace {

constexpr std::uint32_t kWrittenAgain = 16;  // one input in so many
constexpr std::int64_t kMostWork = 200'000;  // of a program that runs; the format allows 2^36

// 1 MB and a thousand times the file: a byte holds at most 452 codes, which are there twice while
// they are decoded.
std::optional<integer::Program> read(Bytes file) {
  const MemoryLimit limit("reading a model", (1 << 20) + 1000 * file.size());
  try {
    return integer::decode_model(file, "input");
  } catch (const DataError&) {
    return std::nullopt;
  }
}

bool small_enough(const integer::Program& program) {
  std::int64_t work = integer::work_of(program);
  for (const integer::Tensor& tensor : program.tensors) work += tensor.size();
  return work <= kMostWork;
}

// What two engines may take, by the shapes that were validated. A code of a tensor: arenas, output
// pixels and their rows. A weight: it may be alone in a panel of 64 bytes, three times (a weight
// beyond a byte is split). A channel: it may be a group with lanes of its own. Blocks of images
// have arenas of at most 512 kB, or one image's. Work counts the codes of padding, too.
std::uint64_t most_to_run(const integer::Program& program) {
  std::size_t bytes = (2 << 20) + (16 << 10) * program.operations.size() +
                      8 * static_cast<std::size_t>(integer::work_of(program));
  for (const integer::Tensor& tensor : program.tensors)
    bytes += 64 * static_cast<std::size_t>(tensor.size());
  for (const integer::Operation& operation : program.operations) {
    std::visit(
        [&](const auto& op) {
          if constexpr (requires { op.weights; })
            bytes += 256 * op.weights.codes.size() + (2 << 10) * op.channels.bias.size();
        },
        operation);
  }
  return bytes;
}

// Both ends of the input's range, in turn: the fast kernels and the plain loops agree.
void run(const integer::Program& program) {
  const MemoryLimit limit("running a model", most_to_run(program));
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
  const std::optional<integer::Program> program = read(file.result());
  if (!program) return;
  if (checksum % kWrittenAgain == 0) require(read(integer::encode_model(*program)) == program);
  if (small_enough(*program)) run(*program);
}

}  // namespace pare::fuzz
