#include "apps/lib/evaluate.h"

#include <algorithm>
#include <span>

#include "apps/lib/loss.h"
#include "datasets/batches.h"
#include "framework/random.h"

namespace pare {
namespace {

constexpr std::int64_t kBatch = 256;

std::vector<std::int32_t> chosen_images(const Images& train, std::uint64_t seed,
                                        std::int64_t count) {
  std::vector<std::int32_t> chosen = permutation(train.count(), Random(seed, Stream::calibrate));
  chosen.resize(static_cast<std::size_t>(std::min(count, train.count())));
  return chosen;
}

}  // namespace

std::int64_t count_correct(Network& network, const Images& images,
                           const std::vector<PixelValues>& values,
                           const BeforeBatch& before_batch) {
  const NoGradient no_gradient;
  const Pass pass = Pass::begin(Pass::Mode::evaluate, 0, 0);
  std::int64_t correct = 0;
  for (std::int64_t first = 0; first < images.count(); first += kBatch) {
    before_batch();
    const Batch batch = batch_in_order(images, values, first, kBatch);
    correct += count_correct(network.forward(Variable(batch.images), pass).value(), batch.labels);
  }
  network.release();
  return correct;
}

Tensor calibration_images(const Images& train, const std::vector<PixelValues>& values,
                          std::uint64_t seed, std::int64_t count) {
  return batch_of(train, values, chosen_images(train, seed, count)).images;
}

void show_calibration(const Images& train, const std::vector<PixelValues>& values,
                      std::uint64_t seed, std::int64_t count, const BeforeBatch& before_batch,
                      const std::function<void(const Tensor&)>& see) {
  const std::vector<std::int32_t> chosen = chosen_images(train, seed, count);
  const std::span<const std::int32_t> all(chosen);
  for (std::size_t first = 0; first < all.size(); first += kBatch) {
    before_batch();
    const auto some = all.subspan(first, std::min<std::size_t>(kBatch, all.size() - first));
    see(batch_of(train, values, some).images);
  }
}

void calibrate(Network& network, const Images& train, const std::vector<PixelValues>& values,
               std::uint64_t seed, std::int64_t count, const Pass& pass,
               const BeforeBatch& before_batch) {
  const NoGradient no_gradient;
  show_calibration(train, values, seed, count, before_batch,
                   [&](const Tensor& images) { network.forward(Variable(images), pass); });
  network.release();
}

}  // namespace pare
