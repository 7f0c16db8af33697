// write_digits SEED COUNT IMAGES LABELS: the first test images of the data set 'digits' as two IDX
// files, so that programs which read files can be tested without downloads. A tool for tests, not
// an application.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "datasets/digits.h"
#include "framework/base/error.h"
#include "framework/base/file.h"

namespace {

void u32_big_endian(pare::ByteWriter& writer, std::int64_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) writer.u8(static_cast<std::uint8_t>(value >> shift));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) return std::fputs("usage: write_digits SEED COUNT IMAGES LABELS\n", stderr), 2;
  const auto seed = std::strtoull(argv[1], nullptr, 10);
  const auto count = std::strtoll(argv[2], nullptr, 10);
  const pare::Images digits = pare::make_digits(seed, pare::DigitsSplit::test, count);
  pare::ByteWriter images, labels;
  for (const std::int64_t value :
       {std::int64_t{0x803}, digits.count(), pare::kDigitSide, pare::kDigitSide}) {
    u32_big_endian(images, value);
  }
  images.bytes(std::as_bytes(std::span(digits.pixels)));
  for (const std::int64_t value : {std::int64_t{0x801}, digits.count()})
    u32_big_endian(labels, value);
  for (const std::int32_t label : digits.labels) labels.u8(static_cast<std::uint8_t>(label));
  pare::write_file_atomically(argv[3], images.result());
  pare::write_file_atomically(argv[4], labels.result());
  return 0;
} catch (const pare::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.code());
}
