#include "apps/lib/judgement.h"

#include <algorithm>
#include <bit>
#include <span>

#include "compression/integer/engine.h"
#include "datasets/batches.h"

namespace pare {
namespace {

constexpr std::int64_t kBatch = 250;

// Logits, images x classes.
using Scores = std::vector<float>;

Scores engine_scores(const IntegerForm& form, const Images& images) {
  const integer::Engine engine(form.program);
  const auto classes = static_cast<std::size_t>(engine.output_size());
  std::vector<std::int8_t> outputs(static_cast<std::size_t>(images.count()) * classes);
  engine.run(codes_of(engine, form.final, images), outputs);
  const integer::Tensor& logits =
      form.program.tensors[static_cast<std::size_t>(form.program.output)];
  const auto scale = std::bit_cast<float>(logits.scale_bits);
  Scores scores;
  for (const std::int8_t code : outputs)
    scores.push_back(static_cast<float>(code - logits.zero_point) * scale);
  return scores;
}

Scores float_scores(Network& network, const Images& images,
                    const std::vector<PixelValues>& values) {
  const NoGradient no_gradient;
  const Pass pass = Pass::begin(Pass::Mode::evaluate, 0, 0);
  Scores scores;
  for (std::int64_t first = 0; first < images.count(); first += kBatch) {
    const Batch batch = batch_in_order(images, values, first, kBatch);
    const Tensor logits = network.forward(Variable(batch.images), pass).value();
    scores.insert(scores.end(), logits.values().begin(), logits.values().end());
  }
  network.release();
  return scores;
}

// Of equal scores the smallest class, as the engine decides.
std::vector<std::int32_t> labels_of(const Scores& scores, std::size_t classes) {
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < scores.size(); i += classes) {
    const auto begin = scores.begin() + static_cast<std::ptrdiff_t>(i);
    const auto end = begin + static_cast<std::ptrdiff_t>(classes);
    labels.push_back(static_cast<std::int32_t>(std::max_element(begin, end) - begin));
  }
  return labels;
}

// Floats from the smallest to the largest of the image, as bytes.
std::vector<std::uint8_t> as_bytes(std::span<const float> values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const float factor = *high > *low ? 255 / (*high - *low) : 0;
  std::vector<std::uint8_t> bytes;
  for (const float value : values)
    bytes.push_back(static_cast<std::uint8_t>((value - *low) * factor));
  return bytes;
}

std::vector<std::uint8_t> pixels_of(const Images& images, std::int64_t index) {
  const auto size = static_cast<std::size_t>(images.shape.size());
  const std::size_t begin = static_cast<std::size_t>(index) * size;
  if (images.are_floats()) return as_bytes(std::span(images.values).subspan(begin, size));
  const auto pixels = std::span(images.pixels).subspan(begin, size);
  return {pixels.begin(), pixels.end()};
}

// One channel is gray, three are red, green and blue; of other numbers the first is shown.
report::Raster picture(const Images& images, std::int64_t index) {
  const std::vector<std::uint8_t> pixels = pixels_of(images, index);
  const auto channels = static_cast<std::size_t>(images.shape[-1]);
  report::Raster raster;
  raster.height = images.shape[0];
  raster.width = images.shape[1];
  if (channels == 3) raster.kind = report::Raster::Kind::rgb;
  for (std::size_t i = 0; i < pixels.size(); i += channels == 3 ? 1 : channels)
    raster.samples.push_back(pixels[i]);
  return raster;
}

std::vector<report::Mistake> mistakes_of(const Images& images, const Scores& scores,
                                         const std::vector<std::int32_t>& labels,
                                         std::size_t classes) {
  std::vector<report::Mistake> mistakes;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == images.labels[i]) continue;
    const auto score = [&](std::int32_t label) {
      return static_cast<double>(scores[i * classes + static_cast<std::size_t>(label)]);
    };
    mistakes.push_back({static_cast<std::int64_t>(i),
                        images.labels[i],
                        labels[i],
                        score(images.labels[i]),
                        score(labels[i]),
                        {}});
  }
  return mistakes;
}

}  // namespace

report::Judgement judge(Network& network, const Dataset& dataset, const Outcome& outcome,
                        std::int64_t shown) {
  const Images& test = dataset.test;
  const bool integer = outcome.integer.has_value();
  const Scores scores = integer ? engine_scores(*outcome.integer, test)
                                : float_scores(network, test, pixel_values(dataset));
  const std::size_t classes = scores.size() / static_cast<std::size_t>(test.count());
  const std::vector<std::int32_t> labels = labels_of(scores, classes);

  report::Judgement judgement;
  judgement.judge = integer ? "the integer engine" : "the network in float32";
  judgement.confusion = report::confusion(test.labels, labels, static_cast<int>(classes));
  judgement.mistakes = mistakes_of(test, scores, labels, classes);
  judgement.wrong = std::ssize(judgement.mistakes);
  std::stable_sort(judgement.mistakes.begin(), judgement.mistakes.end(),
                   [](const report::Mistake& a, const report::Mistake& b) {
                     return a.predicted_score - a.truth_score > b.predicted_score - b.truth_score;
                   });
  if (judgement.wrong > shown) judgement.mistakes.resize(static_cast<std::size_t>(shown));
  for (report::Mistake& mistake : judgement.mistakes) mistake.image = picture(test, mistake.index);
  return judgement;
}

}  // namespace pare
