// Whole data sets from files on disk, with fallback, split and limit; real MNIST where $PARE_DATA
// has it.
#include "datasets/load.h"

#include <doctest/doctest.h>

#include <cmath>

#include "datasets/digits.h"
#include "datasets/idx.h"
#include "datasets/normalize.h"
#include "datasets/split.h"
#include "framework/io/sha256.h"
#include "tests/datasets/files.h"

namespace pare {
namespace {

void no_warning(const std::string& text) { FAIL("unexpected warning: ", text); }

TEST_CASE("four small files are a data set") {
  const test::Nowhere here;
  here.folder.put_mnist("data/mnist", 50, 20);
  DatasetConfig config;
  config.validation = 10;
  config.limit = 30;
  config.fallback = "digits";
  const Dataset d = load_dataset(config, 1, "", no_warning);
  CHECK(d.kind == "mnist");
  CHECK(d.source == "./data/mnist");
  CHECK(d.classes == 10);
  CHECK(d.train.count() == 30);
  CHECK(d.validation.count() == 10);
  CHECK(d.test.count() == 20);
  CHECK(d.train.shape == Shape{28, 28, 1});
  CHECK(d.mean == std::vector<float>{0.1307f});
  CHECK(d.hash.size() == 64);
}

TEST_CASE("the hash is that of the data in use") {
  const test::Nowhere here;
  here.folder.put_mnist("data/mnist", 50, 20);
  DatasetConfig config;
  const auto hash = [&](std::uint64_t seed) {
    return load_dataset(config, seed, "", no_warning).hash;
  };
  const std::string whole = hash(1);
  CHECK(hash(2) == whole);
  config.validation = 10;
  CHECK(hash(1) != whole);
  CHECK(hash(1) != hash(2));
  config.validation = 0;
  config.limit = 49;
  CHECK(hash(1) != whole);
}

TEST_CASE("data that are nowhere are replaced by the fallback, loudly") {
  const test::Nowhere here;
  DatasetConfig config;
  CHECK_THROWS_AS(load_dataset(config, 1, "", no_warning), DataNotFound);
  config.fallback = "digits";
  config.limit = 100;
  std::vector<std::string> warnings;
  const Dataset d =
      load_dataset(config, 3, "", [&](const std::string& text) { warnings.push_back(text); });
  REQUIRE(warnings.size() == 1);
  CHECK(test::contains(warnings[0], "using the data set 'digits' instead of 'mnist'"));
  CHECK(test::contains(warnings[0], "./data/mnist: no such folder"));
  CHECK(test::contains(warnings[0], "set PARE_DATA"));
  CHECK(d.kind == "digits");
  CHECK(d.source == "drawn from seed 3");
  CHECK(d.mean == std::vector<float>{0.1133f});
  CHECK(d.train.pixels == make_digits(3, DigitsSplit::train, 100).pixels);
}

TEST_CASE("digits that are cut off need not be drawn") {
  DatasetConfig config;
  config.kind = "digits";
  config.validation = 0.3;
  config.limit = 300;
  const Dataset whole = load_dataset(config, 3, "", no_warning);
  CHECK(whole.uncut_train == 300);
  const Dataset some = load_dataset(config, 3, "", no_warning, {.train = 200, .test = 50});
  CHECK(some.uncut_train == 300);
  CHECK(some.train.pixels == first_images(whole.train, 200).pixels);
  CHECK(some.train.labels == first_images(whole.train, 200).labels);
  CHECK(some.validation.pixels == first_images(whole.validation, 50).pixels);
  CHECK(some.test.pixels == make_digits(3, DigitsSplit::test, 50).pixels);
  // None of them is black: the right ones were drawn.
  config.limit.reset();
  const Dataset full = load_dataset(config, 3, "", no_warning);
  CHECK(full.train.count() == 42'000);
  CHECK(whole.validation.pixels == first_images(full.validation, 300).pixels);
}

TEST_CASE("damaged data are an error, whatever the fallback") {
  const test::Nowhere here;
  here.folder.put_mnist("data/mnist", 50, 20);
  here.folder.put("data/mnist/t10k-images-idx3-ubyte", {0, 0, 8, 3});
  DatasetConfig config;
  config.fallback = "digits";
  CHECK_THROWS_AS(load_dataset(config, 1, "", no_warning), DataError);
}

TEST_CASE("images of another size are not MNIST, but may be an idx data set") {
  const test::Nowhere here;
  for (const std::string start : {"data/mnist/train", "data/mnist/t10k"}) {
    here.folder.put(start + "-images-idx3-ubyte",
                    test::idx_file({3, 1, 2}, {0, 255, 0, 255, 0, 255}));
    here.folder.put(start + "-labels-idx1-ubyte", test::idx_file({3}, {0, 4, 1}));
  }
  DatasetConfig config;
  CHECK(test::contains(test::message_of([&] { load_dataset(config, 1, "", no_warning); }),
                       "expected images of [28, 28, 1], got [1, 2, 1]"));
  config.kind = "idx";
  config.folder = "mnist";
  const Dataset d = load_dataset(config, 1, "", no_warning);
  CHECK(d.classes == 5);
  CHECK(d.source == "./data/mnist");
  CHECK(d.mean == std::vector<float>{0.5f});
  CHECK(d.std_dev == std::vector<float>{0.5f});
  config.folder.reset();
  config.train =
      ImageFiles{"data/mnist/train-images-idx3-ubyte", "data/mnist/train-labels-idx1-ubyte"};
  config.test = ImageFiles{"mnist/t10k-images-idx3-ubyte", "mnist/t10k-labels-idx1-ubyte"};
  CHECK(load_dataset(config, 1, "", no_warning).hash == d.hash);
}

void put_cifar10(const test::Nowhere& here, const std::string& folder) {
  for (std::uint8_t i = 1; i <= 5; ++i) {
    here.folder.put(folder + "/data_batch_" + std::to_string(i) + ".bin",
                    test::cifar_records({{i}, {0}}, i));
  }
  here.folder.put(folder + "/test_batch.bin", test::cifar_records({{9}}, 6));
}

TEST_CASE("CIFAR-10 is found in torchvision's layout, its five batches in order") {
  const test::Nowhere here;
  put_cifar10(here, "data/cifar-10-batches-bin");
  DatasetConfig config;
  config.kind = "cifar10";
  const Dataset d = load_dataset(config, 1, "", no_warning);
  CHECK(d.source == "./data/cifar-10-batches-bin");
  CHECK(d.classes == 10);
  CHECK(d.train.shape == Shape{32, 32, 3});
  CHECK(d.train.labels == std::vector<std::int32_t>{1, 0, 2, 0, 3, 0, 4, 0, 5, 0});
  CHECK(d.test.labels == std::vector<std::int32_t>{9});
  CHECK(d.mean == std::vector<float>{0.4914f, 0.4822f, 0.4465f});
}

TEST_CASE("CIFAR-100 has a hundred classes, whatever labels come up") {
  const test::Nowhere here;
  here.folder.put("data/cifar100/train.bin", test::cifar_records({{0, 7}, {19, 98}}, 1));
  here.folder.put("data/cifar100/test.bin.gz", test::gzip(test::cifar_records({{1, 2}}, 1)));
  DatasetConfig config;
  config.kind = "cifar100";
  const Dataset d = load_dataset(config, 1, "", no_warning);
  CHECK(d.classes == 100);
  CHECK(d.train.labels == std::vector<std::int32_t>{7, 98});
  CHECK(d.test.count() == 1);
}

TEST_CASE("missing data are an error that says how to get them") {
  const test::Nowhere here;
  DatasetConfig config;
  config.kind = "cifar10";
  CHECK(test::contains(test::message_of([&] { load_dataset(config, 1, "", no_warning); }),
                       "To download it: ./pare fetch cifar10. Or put the 6 files into "
                       "./data/cifar10"));
}

void put_npy(const test::Nowhere& here, const std::string& type, const test::Bytes& train,
             const test::Bytes& test_images) {
  here.folder.put("data/mine/x_train.npy", test::npy_file(type, "(3, 1, 2)", train));
  here.folder.put("data/mine/y_train.npy", test::npy_file("|u1", "(3,)", {0, 4, 1}));
  here.folder.put("data/mine/x_test.npy", test::npy_file(type, "(1, 1, 2)", test_images));
  here.folder.put("data/mine/y_test.npy", test::npy_file("|u1", "(1,)", {6}));
}

TEST_CASE("a folder of .npy files is a data set; classes are counted over both parts") {
  const test::Nowhere here;
  put_npy(here, "|u1", {0, 255, 0, 255, 0, 255}, {1, 2});
  DatasetConfig config;
  config.kind = "npy";
  config.folder = "mine";
  const Dataset d = load_dataset(config, 1, "", no_warning);
  CHECK(d.classes == 7);
  CHECK(d.source == "./data/mine");
  CHECK(d.mean == std::vector<float>{0.5f});
  config.folder.reset();
  config.train = ImageFiles{"mine/x_train.npy", "mine/y_train.npy"};
  config.test = ImageFiles{"mine/x_test.npy", "mine/y_test.npy"};
  const Dataset same = load_dataset(config, 1, "", no_warning);
  CHECK(same.hash == d.hash);
  CHECK(same.source == "x_train.npy, x_test.npy");
}

TEST_CASE("floats are normalised once, at load, by the training images") {
  const test::Nowhere here;
  put_npy(here, "<f4", test::bytes_of<float>({2, 4, 2, 4, 2, 4}), test::bytes_of<float>({3, 5}));
  DatasetConfig config;
  config.kind = "npy";
  config.folder = "mine";
  config.validation = 1;
  const Dataset d = load_dataset(config, 1, "", no_warning);
  CHECK(d.train.count() == 2);
  CHECK(d.train.values == std::vector<float>{-1, 1, -1, 1});
  CHECK(d.validation.values == std::vector<float>{-1, 1});
  CHECK(d.test.values == std::vector<float>{0, 2});
  CHECK(d.train.fill == std::vector<float>{-3});
  CHECK(pixel_values(d).empty());
  config.normalize = {Normalize::Source::none, {}, {}};
  config.validation = 0;
  config.limit = 1;
  const Dataset plain = load_dataset(config, 1, "", no_warning);
  CHECK(plain.train.values == std::vector<float>{2, 4});
  CHECK(plain.train.fill == std::vector<float>{0});
  CHECK(plain.hash != d.hash);
}

TEST_CASE("training and test images must be of one kind") {
  const test::Nowhere here;
  put_npy(here, "|u1", {0, 255, 0, 255, 0, 255}, {1, 2});
  here.folder.put("data/mine/x_test.npy",
                  test::npy_file("<f4", "(1, 1, 2)", test::bytes_of<float>({1, 2})));
  DatasetConfig config;
  config.kind = "npy";
  config.folder = "mine";
  CHECK(test::contains(test::message_of([&] { load_dataset(config, 1, "", no_warning); }),
                       "expected the same type"));
  here.folder.put("data/mine/x_test.npy", test::npy_file("|u1", "(1, 2, 1)", {1, 2}));
  CHECK(test::contains(test::message_of([&] { load_dataset(config, 1, "", no_warning); }),
                       "expected images of [1, 2, 1]"));
}

TEST_CASE("a source never holds an absolute path") {
  const test::Nowhere here;
  here.folder.put_mnist("elsewhere/mine", 20, 10);
  DatasetConfig config;
  config.kind = "idx";
  config.folder = here.folder.path() + "/elsewhere/mine";
  CHECK(load_dataset(config, 1, "", no_warning).source == "mine");
}

TEST_CASE("a normalisation must have the data's channels") {
  const test::Nowhere here;
  here.folder.put_mnist("data/mnist", 20, 10);
  DatasetConfig config;
  config.normalize = {Normalize::Source::given, {0.5, 0.5, 0.5}, {1, 1, 1}};
  CHECK(test::contains(test::message_of([&] { load_dataset(config, 1, "", no_warning); }),
                       "expected 1 values in mean and std"));
  config.normalize = {Normalize::Source::none, {}, {}};
  CHECK(load_dataset(config, 1, "", no_warning).mean.empty());
}

TEST_CASE("real CIFAR-10 has the published means") {
  DatasetConfig config;
  config.kind = "cifar10";
  Dataset d;
  try {
    d = load_dataset(config, 1, "", [](const std::string&) {});
  } catch (const DataNotFound&) {
    MESSAGE("skipped: no CIFAR-10 in the folders of PARE_DATA");
    return;
  }
  CHECK(d.train.count() == 50000);
  CHECK(d.test.count() == 10000);
  const Statistics measured = measure(d.train);
  for (std::size_t c = 0; c < 3; ++c) {  // within what a re-encoding may change
    CHECK(measured.mean[c] == doctest::Approx(d.mean[c]).epsilon(0.01));
    CHECK(measured.std_dev[c] == doctest::Approx(d.std_dev[c]).epsilon(0.02));
  }
}

TEST_CASE("real MNIST is the official one") {
  if (!std::getenv("PARE_DATA")) {
    MESSAGE("skipped: PARE_DATA is not set");
    return;
  }
  DatasetConfig config;
  const Dataset d = load_dataset(config, 1, "", [](const std::string&) {});
  CHECK(d.train.count() == 60000);
  CHECK(d.test.count() == 10000);
  test::Bytes file = test::idx_file({60000, 28, 28}, d.train.pixels);
  CHECK(hex(sha256(std::as_bytes(std::span(file)))) ==
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db");
  const Statistics measured = measure(d.train);
  CHECK(std::abs(measured.mean[0] - d.mean[0]) < 0.00005f);
  CHECK(std::abs(measured.std_dev[0] - d.std_dev[0]) < 0.00005f);
  config.kind = "idx";
  const auto folders = data_folders("", [](const std::string&) {});
  const std::vector<std::string> names = {"mnist", "MNIST/raw", ""},
                                 wanted = {"t10k-labels-idx1-ubyte"};
  const std::string labels = find_files(folders, names, wanted, "", "").paths[0];
  const test::Nowhere here;
  const std::string real = labels.substr(0, labels.rfind('/'));
  const test::Environment flat("PARE_DATA", real);
  config.kind = "fashion_mnist";
  CHECK(test::contains(test::message_of([&] { load_dataset(config, 1, "", no_warning); }),
                       "got the labels of MNIST"));
}

}  // namespace
}  // namespace pare
