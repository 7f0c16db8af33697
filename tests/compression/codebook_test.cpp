// A codebook's table, and which weight belongs to which of its entries.
#include "compression/quantize/codebook.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory>
#include <vector>

#include "compression/quantize/clusters.h"
#include "tests/compression/draws.h"

namespace pare {
namespace {

Pass training() { return Pass::begin(Pass::Mode::train, 1, 0); }

// Those of a sum of values times w.
struct Trained {
  std::vector<float> latent;  // empty: none
  std::vector<float> centroids;
};
Trained gradients(Quantizer& quantizer, const Tensor& x, const Tensor& w) {
  Variable leaf(x, true);
  backward(weighted_sum(quantizer.quantize(leaf, training()), w));
  Trained result;
  if (leaf.grad().defined())
    result.latent.assign(leaf.grad().values().begin(), leaf.grad().values().end());
  quantizer.visit_parameters([&](Parameter& own) {
    result.centroids.assign(own.grad().values().begin(), own.grad().values().end());
    own.release();
  });
  return result;
}

TEST_CASE("centroids are all different, and no more than there are values") {
  std::vector<float> atoms;  // ends that many channels share, as their scales make them
  for (int i = 0; i < 40; ++i) atoms.insert(atoms.end(), {-1.0f, 1.0f});
  atoms.insert(atoms.end(), {0.2f, 0.3f});
  for (const CodebookInit init :
       {CodebookInit::linear, CodebookInit::density, CodebookInit::random}) {
    CAPTURE(static_cast<int>(init));
    const Random random(1, Stream::test);
    CHECK(cluster(atoms, 8, init, random) ==
          std::vector<double>{-1, 0, static_cast<double>(0.2f), static_cast<double>(0.3f), 1});
    CHECK(cluster({}, 8, init, random) == std::vector<double>{0});
    std::vector<float> many(1000, 0.5f);
    for (int i = 1; i <= 20; ++i) many.push_back(static_cast<float>(i) / 40 - 0.26f);
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      const std::vector<double> found = cluster(many, 8, init, Random(seed, Stream::test));
      REQUIRE(found.size() == 8);
      CHECK(std::adjacent_find(found.begin(), found.end(), std::greater_equal<>()) == found.end());
      CHECK(std::count(found.begin(), found.end(), 0.0) == 1);
    }
  }
}

// Clusters 0, {0.4, 0.4, 0.6} and {1, 1}.
constexpr float kClustered[] = {-0.02f, 0.02f, 0.4f, 0.4f, 0.6f, 1, 1};

// With three levels, its table made.
std::unique_ptr<Quantizer> codebook(Reassign reassign, const Tensor& x) {
  QuantizerConfig config;
  config.quantizer = "codebook";
  config.bits = 2;
  config.levels = 3;
  config.granularity = Granularity::per_tensor;
  config.reassign = reassign;
  auto quantizer = make_quantizer(config, QuantizerPlace::Use::weights, "w", x.shape(), 0);
  quantizer->observe(x, training());
  return quantizer;
}

// As an optimizer does it.
void move_centroids(Quantizer& quantizer, float second, float third) {
  quantizer.visit_parameters([&](Parameter& own) {
    own.release();
    own.latent().mutable_data()[1] += second;
    own.latent().mutable_data()[2] += third;
  });
}

GridCodes codes_of_next_epoch(Quantizer& quantizer, const Tensor& x) {
  quantizer.begin_epoch();
  quantizer.observe(x, training());
  return quantizer.codes(x);
}

TEST_CASE("a weight moves with its cluster, and changes it where another comes nearer") {
  const Tensor x = Tensor::from({1, 7}, kClustered);
  for (const Reassign reassign : {Reassign::never, Reassign::epoch}) {
    CAPTURE(static_cast<int>(reassign));
    auto quantizer = codebook(reassign, x);
    // Both clusters together: 0.6 lies at 0.4 now, and at 0.6 it would be nearer to 0.8.
    move_centroids(*quantizer, -0.2f, -0.2f);
    GridCodes codes = codes_of_next_epoch(*quantizer, x);
    CHECK(codes[4] == codes[2]);
    // Back, and {1, 1} alone to 0.7.
    move_centroids(*quantizer, 0.2f, -0.1f);
    codes = codes_of_next_epoch(*quantizer, x);
    CHECK(codes[2] < codes[5]);
    CHECK(codes[4] == codes[reassign == Reassign::epoch ? 5 : 2]);
    CHECK(codes[3] == codes[2]);
    CHECK(codes[6] == codes[5]);
    // A weight changes once.
    move_centroids(*quantizer, 0, 0.3f);
    codes = codes_of_next_epoch(*quantizer, x);
    CHECK(codes[4] == codes[reassign == Reassign::epoch ? 5 : 2]);
  }
}

TEST_CASE("a weight that was masked trains straight through until it joins a cluster") {
  const Tensor w = random_tensor({7}, 11);
  const auto with = [](float value) {  // in place of 0.6
    std::vector<float> values(std::begin(kClustered), std::end(kClustered));
    values[4] = value;
    return Tensor::from({1, 7}, values);
  };
  auto quantizer = codebook(Reassign::never, with(0));
  for (const float value : {0.0f, 0.05f}) {  // masked, or back but nearest to 0
    const Trained got = gradients(*quantizer, with(value), w);
    CHECK(got.latent == std::vector<float>{0, 0, 0, 0, w.data()[4], 0, 0});
    CHECK(got.centroids[1] == doctest::Approx(w.data()[2] + w.data()[3]));
    CHECK(quantizer->codes(with(value))[4] == 0);
  }
  CHECK(quantizer->codes(with(0.6f))[4] == quantizer->codes(with(0))[2]);  // as evaluation sees it
  const Trained joined = gradients(*quantizer, with(0.6f), w);
  CHECK(joined.latent.empty());
  CHECK(joined.centroids[1] == doctest::Approx(w.data()[2] + w.data()[3] + w.data()[4]));
  // It has a cluster now, as all have: what is masked from here on comes back to its own.
  CHECK(gradients(*quantizer, with(0), w).latent.empty());
  CHECK(quantizer->codes(with(0.05f))[4] == quantizer->codes(with(0))[2]);
}

}  // namespace
}  // namespace pare
