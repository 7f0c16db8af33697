// Files in Keras's layouts, whole and damaged. Whether their numbers mean to us what they mean to
// Keras is tested in tests/apps/init_from_test.cpp.
#include "framework/io/keras_h5.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "framework/base/error.h"
#include "framework/io/guarded.h"
#include "framework/io/hdf5_handle.h"
#include "tests/io/keras_writer.h"

namespace pare {
namespace {

std::vector<KerasLayer> layers() {
  return {{.name = "conv2d",
           .arrays = {{.name = "conv2d/kernel:0", .shape = {1, 2, 1, 2}, .values = {1, 2, 3, 4}},
                      {.name = "conv2d/bias:0", .shape = {2}, .values = {5, 6}}}},
          {.name = "flatten", .arrays = {}},
          {.name = "dense",
           .arrays = {{.name = "sequential/dense/kernel", .shape = {2, 1}, .values = {7, 8}}}}};
}

std::string fault(const std::function<void()>& call) {
  try {
    call();
  } catch (const DataError& error) {
    return error.what();
  }
  return "(accepted)";
}

TEST_CASE(
    "layers and arrays come out of every layout of Keras, in the model's order where it has one") {
  for (const NameTexts texts : {NameTexts::fixed, NameTexts::variable}) {
    for (const KerasLayout layout : {KerasLayout::model, KerasLayout::save_weights}) {
      const KerasFile file = decode_keras_h5(write_keras(layers(), layout, texts), "x.h5");
      CHECK(file.ordered);
      REQUIRE(file.layers.size() == 2);  // flatten has no arrays
      CHECK(file.layers[0].name == "conv2d");
      CHECK(file.layers[0].arrays[0].name == "conv2d/kernel:0");
      CHECK(file.layers[0].arrays[0].shape == std::vector<std::int64_t>{1, 2, 1, 2});
      CHECK(file.layers[0].arrays[0].values == std::vector<float>{1, 2, 3, 4});
      CHECK(file.layers[1].arrays[0].values == std::vector<float>{7, 8});
    }
  }
  const KerasFile file = decode_keras_h5(write_keras(layers(), KerasLayout::weights_h5), "x.h5");
  CHECK_FALSE(file.ordered);
  REQUIRE(file.layers.size() == 2);
  CHECK(file.layers[0].name == "conv2d");
  CHECK(file.layers[0].arrays[1].values == std::vector<float>{5, 6});
}

TEST_CASE("files that are not Keras's are refused with the reason") {
  CHECK(fault([] { decode_keras_h5({}, "x.h5"); }) == "x.h5: not an HDF5 file");
  Hdf5Image ours{.json = "{}", .arrays = {}};
  CHECK(fault([&] { decode_keras_h5(hdf5::write_image(ours), "x.h5"); }) ==
        "x.h5: expected weights as Keras saves them: model_weights, layer_names or layers");
}

TEST_CASE("every truncation is an error, and no changed byte does any harm") {
  const std::vector<std::byte> good = write_keras(layers(), KerasLayout::save_weights);
  for (std::size_t size = 0; size < good.size(); size += 97) {
    CHECK_THROWS_AS(decode_keras_h5(std::span(good).first(size), "x"), DataError);
  }
  int refused = 0, tried = 0;
  for (std::size_t i = 0; i < good.size(); i += 41) {
    std::vector<std::byte> bad = good;
    bad[i] ^= std::byte{0xFF};
    ++tried;
    refused += fault([&] { decode_keras_h5(bad, "x"); }) != "(accepted)";
  }
  CHECK(refused > 0);
  CHECK(refused < tried);  // unused bytes, and numbers: there is no checksum
}

TEST_CASE("a crash, a loop and a hunger for memory end in errors, not with the program") {
  const Guard guard{.memory = std::uint64_t{64} << 20, .seconds = 1};
  const auto outcome = [&](const std::function<std::vector<std::byte>()>& work) {
    return fault([&] { run_guarded(guard, "x.h5", work); });
  };
  const std::string failed = "x.h5: the HDF5 library fails on it: the file is damaged";
  CHECK(outcome([] { return std::vector<std::byte>(3); }) == "(accepted)");
  CHECK(run_guarded(guard, "x", [] { return std::vector<std::byte>(3, std::byte{5}); }) ==
        std::vector<std::byte>(3, std::byte{5}));
  CHECK(outcome([]() -> std::vector<std::byte> { throw DataError("x.h5: why"); }) == "x.h5: why");
  CHECK(outcome([]() -> std::vector<std::byte> { std::abort(); }) == failed);
  CHECK(outcome([]() -> std::vector<std::byte> {
          volatile int* nowhere = nullptr;
          return std::vector<std::byte>(static_cast<std::size_t>(*nowhere));
        }) == failed);
  CHECK(outcome([] { return std::vector<std::byte>(std::size_t{1} << 30); }) == failed);
  CHECK_THROWS_WITH_AS(
      run_guarded(guard, "x.h5",
                  []() -> std::vector<std::byte> { ::raise(SIGKILL), std::abort(); }),
      "x.h5: the process that read it was killed: there is too little memory to read it",
      FailedError);
  CHECK(outcome([]() -> std::vector<std::byte> {
          while (getpid() > 0) continue;
          return {};
        }) == failed);
}

}  // namespace
}  // namespace pare
