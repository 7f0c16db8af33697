// fuzz_seeds FOLDER: the first inputs of every target, into FOLDER/<target>/. A function of nothing
// but this source.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "compression/integer/model_file.h"
#include "framework/base/file.h"
#include "framework/io/hdf5_handle.h"
#include "framework/io/image_bytes.h"
#include "framework/io/safetensors.h"
#include "tests/datasets/files.h"
#include "tests/integer/random_program.h"
#include "tests/io/foreign_hdf5.h"
#include "tests/io/keras_writer.h"

namespace pare {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> bytes_of(const test::Bytes& bytes) {
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}

class Seeds {
 public:
  explicit Seeds(std::string folder) : folder_(std::move(folder)) {}

  void add(const std::string& target, std::span<const std::byte> bytes) {
    const std::string to = folder_ + "/" + target;
    std::filesystem::create_directories(to);
    write_file_atomically(to + "/seed" + std::to_string(count_++), bytes);
  }
  // With a first byte that says how the target is to take the rest.
  void add(const std::string& target, std::uint8_t mode, std::span<const std::byte> bytes) {
    std::vector<std::byte> all = {std::byte{mode}};
    all.insert(all.end(), bytes.begin(), bytes.end());
    add(target, all);
  }
  void add_pair(const std::string& target, const test::Bytes& first, const test::Bytes& second) {
    ByteWriter writer;
    writer.u16(static_cast<std::uint16_t>(first.size()));
    writer.bytes(bytes_of(first));
    writer.bytes(bytes_of(second));
    add(target, writer.result());
  }

 private:
  std::string folder_;
  int count_ = 0;
};

void data_sets(Seeds& seeds) {
  using test::counting, test::gzip, test::idx_file, test::npy_file;
  const test::Bytes pixels = idx_file({3, 4, 5}, counting(60)), labels = idx_file({3}, {2, 0, 1});
  seeds.add_pair("idx", labels, pixels);
  seeds.add_pair("idx", labels, idx_file({3, 2, 2, 3}, counting(36)));
  seeds.add_pair("idx", gzip(labels), gzip(pixels));
  const test::Bytes npy = npy_file("|u1", "(3, 4, 5)", counting(60));
  for (const char* type : {"|u1", "<i4", "<i8"}) {
    const std::size_t width = type[2] == '1' ? 1 : static_cast<std::size_t>(type[2] - '0');
    test::Bytes values(3 * width);
    values[width] = 1;
    seeds.add_pair("npy", npy_file(type, "(3,)", values), npy);
  }
  const test::Bytes one = npy_file("|u1", "(3,)", {0, 1, 2});
  seeds.add_pair("npy", one, npy_file("<f4", "(3, 1, 2, 2)", test::Bytes(48)));
  seeds.add_pair("npy", gzip(one), gzip(npy));
  for (const std::uint8_t mode : {0, 1, 128}) {
    const test::Bytes label = mode == 1 ? test::Bytes{3, 4} : test::Bytes{5};
    seeds.add("cifar", mode, bytes_of(test::cifar_records({label}, 1)));
    seeds.add("cifar", mode, bytes_of(gzip(test::cifar_records({label, label}, 2))));
  }
  for (const std::uint8_t mode : {0, 2, 4, 6}) seeds.add("gzip", mode, bytes_of(gzip(pixels)));
  test::Bytes raw = gzip(pixels);
  raw = test::Bytes(raw.begin() + 10, raw.end() - 8);
  for (const std::uint8_t mode : {1, 3, 5, 7}) seeds.add("gzip", mode, bytes_of(raw));
  seeds.add("images", 0, bytes_of(pixels));
  seeds.add("images", 3, bytes_of(labels));
  seeds.add("images", 3, bytes_of(gzip(labels)));
  seeds.add("images", 0, bytes_of(gzip(pixels)));
  seeds.add("images", 0, bytes_of("P5\n# remark\n4 3\n255\nabcdefghijkl"));
  seeds.add("images", 0, bytes_of("P6 2 2 255\nabcdefghijkl"));
  seeds.add("images", 0, bytes_of(test::cifar_records({{5}}, 1)));
  seeds.add("images", 0, bytes_of(test::cifar_records({{5, 6}}, 1)));
}

Hdf5Image some_arrays() {
  Hdf5Image image{.json = R"({"format": 1})", .arrays = {}};
  const auto add = [&](const std::string& name, ElementType type, std::vector<std::int64_t> shape,
                       std::size_t count) {
    image.arrays.push_back(
        {name, type, std::move(shape), std::vector<std::byte>(count * size_of(type))});
  };
  add("a", ElementType::float32, {2, 3}, 6);
  add("masks/conv1.weight", ElementType::uint8, {4}, 4);
  add("parameters/conv1.weight/lsq.step", ElementType::float64, {}, 1);
  add("z", ElementType::int64, {0, 2}, 0);
  return image;
}

void arrays(Seeds& seeds) {
  const Hdf5Image image = some_arrays();
  seeds.add("wire", image_to_bytes(image));
  seeds.add("checkpoint", hdf5::write_image(image));
  for (const test::ForeignFile& file : test::foreign_files())
    seeds.add("checkpoint", test::hdf5_file(file.build));
  const SafeTensors tensors{.metadata = {{"format", "pt"}}, .arrays = image.arrays};
  const auto file = encode_safetensors(tensors);
  seeds.add("safetensors", 0, file);
  seeds.add("safetensors", 1, std::span(file).subspan(8));
  std::string header = R"({"a": {"dtype": "I32", "shape": [2], "data_offsets": [0, 8]}})";
  seeds.add("safetensors", 1, bytes_of(header + std::string(9, '\0')));
  const std::vector<KerasLayer> layers = {
      {"conv2d", {{"0", {1, 1, 1, 2}, {1, 2}}, {"1", {2}, {3, 4}}}},
      {"dense", {{"0", {2, 1}, {5, 6}}}}};
  for (const KerasLayout layout :
       {KerasLayout::model, KerasLayout::save_weights, KerasLayout::weights_h5}) {
    for (const NameTexts names : {NameTexts::fixed, NameTexts::variable})
      seeds.add("keras", write_keras(layers, layout, names));
  }
}

void models(Seeds& seeds) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto file = integer::encode_model(integer::random_program(seed));
    if (file.size() < 1500) seeds.add("model", std::span(file).first(file.size() - 4));
  }
  const auto dense = integer::encode_model(integer::zero_weights(3000, 64));  // is run, too
  seeds.add("model", std::span(dense).first(dense.size() - 4));
}

void configs(Seeds& seeds) {
  constexpr const char* kTexts[] = {
      R"({"count": 3, "rate": 0.5, "fast": true, "colour": "green", "name": "x\u00e4\n\ud83d\ude00"})",
      R"(// a remark
{"numbers": [1, 2, -3], "layers": [{"kind": "dense", "units": 4}, {"kind": "inner", "factor": 2.5e1}]})",
      R"({"inner": {"factor": 1, "word": "b"}, "maybe": null, "named": {"a": {}, "b": {"_delete_": true, "word": "c"}}, "$schema": "x"})",
  };
  for (const char* text : kTexts) seeds.add("config", bytes_of(std::string_view(text)));
  using namespace std::string_literals;
  seeds.add("config",
            bytes_of("{\"inner\": {\"word\": \"a\"}}\0inner.word=b\0layers[0].kind=dense\0named.q={}"s));
  seeds.add(
      "config",
      bytes_of("{\"_base_\": \"base\", \"count\": 2}\0{\"fast\": true, \"count\": 1}\0rate=2"s));
  seeds.add(
      "config",
      bytes_of(
          "{\"_base_\": [\"base\", \"input\"], \"x\": {\"_delete_\": true}}\0{\"_base_\": 3}"s));
  seeds.add(
      "config",
      bytes_of(
          "{\"numbers\": [1]}\0numbers=2\0layers[0]={\"kind\": \"inner\"}\0a=[[1, {\"b\": 2}]]"s));
  seeds.add("config", bytes_of("{\"rate\": 1e400, \"x\": [[[[{}]]]] /* end */}"s));
}

}  // namespace
}  // namespace pare

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
    return 2;
  }
  pare::Seeds seeds(argv[1]);
  pare::data_sets(seeds);
  pare::arrays(seeds);
  pare::models(seeds);
  pare::configs(seeds);
  return 0;
}
