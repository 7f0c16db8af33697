#include "tests/hostile/readers.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "apps/infer/images.h"
#include "compression/integer/compact.h"
#include "compression/integer/model_file.h"
#include "datasets/cifar.h"
#include "datasets/idx.h"
#include "datasets/npy.h"
#include "framework/base/error.h"
#include "framework/config/config.h"
#include "framework/io/hdf5_image.h"
#include "framework/io/image_bytes.h"
#include "framework/io/keras_h5.h"
#include "framework/io/safetensors.h"
#include "tests/datasets/files.h"
#include "tests/fuzz/input.h"
#include "tests/integer/random_program.h"
#include "tests/io/keras_writer.h"

namespace pare::test {
namespace {

using Span = std::span<const std::byte>;

std::vector<std::byte> plain(const Bytes& bytes) {
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}

std::vector<std::byte> plain(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

using ReadPair = Images (*)(const std::string& images, const std::string& labels);

// Two rows: one file of the pair is damaged, the other whole.
void add_pair(std::vector<Reader>& rows, const std::string& name, const Bytes& images,
              const Bytes& labels, ReadPair read) {
  const auto row = [&](const char* part, const Bytes& damaged, const Bytes& whole, bool first) {
    rows.push_back({.name = name + part, .sample = plain(damaged), .read = [=](Span bytes) {
                      fuzz::MemoryFile a, b;
                      a.put(bytes);
                      b.put(plain(whole));
                      read(first ? a.path() : b.path(), first ? b.path() : a.path());
                    }});
  };
  row(" images", images, labels, true);
  row(" labels", labels, images, false);
}

Images read_idx_pair(const std::string& images, const std::string& labels) {
  return read_idx_images(images, labels, 0);
}

void data_sets(std::vector<Reader>& rows) {
  const Bytes pixels = counting(3 * 4 * 5), npy = npy_file("|u1", "(3, 4, 5)", pixels);
  const Bytes images = idx_file({3, 4, 5}, pixels), labels = idx_file({3}, {2, 0, 1});
  const Bytes npy_labels = npy_file("<i8", "(3,)", bytes_of<std::int64_t>({2, 0, 1}));
  const std::vector<float> values(pixels.begin(), pixels.end());
  add_pair(rows, "idx", images, labels, read_idx_pair);
  add_pair(rows, "idx.gz", gzip(images), gzip(labels), read_idx_pair);
  add_pair(rows, "npy", npy, npy_labels, read_npy_images);
  add_pair(rows, "npy.gz", gzip(npy), gzip(npy_labels), read_npy_images);
  add_pair(rows, "npy of floats", npy_file("<f4", "(3, 4, 5)", bytes_of(values)), npy_labels,
           read_npy_images);
  for (const bool hundred : {false, true}) {
    const CifarFormat format = hundred ? CifarFormat{2, 100, 3} : CifarFormat{1, 10, 3};
    const Bytes record = cifar_records({hundred ? Bytes{3, 4} : Bytes{5}}, 1);
    rows.push_back({.name = hundred ? "cifar100" : "cifar10",
                    .sample = plain(record),
                    .read =
                        [=](Span bytes) {
                          fuzz::MemoryFile file;
                          const std::array<std::string, 1> paths = {file.put(bytes)};
                          read_cifar(paths, format);
                        },
                    .stride = 3});
  }
}

void infer_files(std::vector<Reader>& rows) {
  const auto add = [&](const char* name, std::vector<std::byte> sample, int stride) {
    rows.push_back({.name = name,
                    .sample = std::move(sample),
                    .read =
                        [](Span bytes) {
                          fuzz::MemoryFile file;
                          infer::read_images(file.put(bytes));
                        },
                    .stride = stride});
  };
  const Bytes images = idx_file({3, 4, 5}, counting(60));
  add("infer idx", plain(images), 1);
  add("infer idx.gz", plain(gzip(images)), 1);
  add("infer pgm", plain("P5\n# remark\n4 3\n255\nabcdefghijkl"), 1);
  add("infer ppm", plain("P6 2 2 255\nabcdefghijkl"), 1);
  add("infer cifar", plain(cifar_records({{5}}, 1)), 3);
  rows.back().any_value = true;
}

Hdf5Image some_arrays() {
  const auto array = [](const char* name, ElementType type, std::vector<std::int64_t> shape,
                        std::size_t bytes) {
    return NamedArray{name, type, std::move(shape), std::vector<std::byte>(bytes, std::byte{3})};
  };
  return {.json = R"({"format": 1})",
          .arrays = {array("a", ElementType::float32, {2, 3}, 24),
                     array("masks/b", ElementType::uint8, {8}, 8)}};
}

void array_files(std::vector<Reader>& rows) {
  rows.push_back({.name = "safetensors",
                  .sample = encode_safetensors({.metadata = {{"format", "pt"}},
                                                .arrays = some_arrays().arrays}),
                  .read = [](Span bytes) { decode_safetensors(bytes, "file"); }});
  rows.push_back({.name = "checkpoint",
                  .sample = encode_hdf5(some_arrays()),
                  .read = [](Span bytes) { decode_hdf5(bytes, "file"); },
                  .sealed = true});
  rows.push_back({.name = "guarded process",
                  .sample = image_to_bytes(some_arrays()),
                  .read = [](Span bytes) { image_from_bytes(bytes, "file"); },
                  .truncates = false});  // it may end after any array
  const std::vector<KerasLayer> layers = {
      {"conv2d", {{"0", {1, 1, 1, 2}, {1, 2}}, {"1", {2}, {3, 4}}}}};
  rows.push_back({.name = "keras",
                  .sample = write_keras(layers, KerasLayout::weights_h5),
                  .read = [](Span bytes) { decode_keras_h5(bytes, "file"); },
                  .stride = 97});
}

void others(std::vector<Reader>& rows) {
  std::uint64_t seed = 1;
  std::vector<std::byte> model;
  do model = integer::encode_model(integer::random_program(seed++));  // of the newest version
  while (model.size() > 500 || model[4] != std::byte{integer::kModelVersion});
  rows.push_back({.name = "model.pare",
                  .sample = model,
                  .read = [](Span bytes) { integer::decode_model(bytes, "file"); },
                  .sealed = true,
                  .base = 1 << 20,
                  .factor = 1000});
  rows.push_back({.name = "config",
                  .sample = plain(R"({"a": [1, -2.5e3, true], "b": {"c": null, "d": "\u00e4"}})"),
                  .read = [](Span bytes) { config::load_text(fuzz::text_of(bytes), "file"); }});
}

}  // namespace

std::vector<Reader> readers() {
  std::vector<Reader> rows;
  data_sets(rows);
  infer_files(rows);
  array_files(rows);
  others(rows);
  return rows;
}

const Reader& reader(const std::vector<Reader>& readers, const std::string& name) {
  return *std::ranges::find(readers, name, &Reader::name);
}

}  // namespace pare::test
