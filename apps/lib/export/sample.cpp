#include "apps/lib/export/sample.h"

#include <algorithm>
#include <cstdlib>

#include "framework/base/error.h"
#include "framework/random.h"

namespace pare {
namespace {

Sample run(const integer::Engine& engine, Sample sample) {
  sample.codes.resize(static_cast<std::size_t>(sample.count * engine.input_size()));
  if (!sample.pixels.empty()) engine.pixels_to_codes(sample.pixels, sample.codes);
  sample.outputs.resize(static_cast<std::size_t>(sample.count * engine.output_size()));
  engine.run(sample.codes, sample.outputs);
  return sample;
}

}  // namespace

Sample sample_images(const integer::Engine& engine, const Dataset& dataset, std::int64_t count) {
  Sample sample;
  sample.count = std::min(count, dataset.test.count());
  sample.source = dataset.kind + " test images";
  const auto pixels = dataset.test.pixels.begin();
  sample.pixels.assign(pixels, pixels + sample.count * engine.input_size());
  return run(engine, std::move(sample));
}

Sample random_sample(const integer::Engine& engine, std::int64_t count) {
  const integer::Program& program = engine.program();
  const integer::Tensor& input = program.tensors[static_cast<std::size_t>(program.input)];
  Random random(1, Stream::test, name_hash(program.name));
  Sample sample;
  sample.count = count;
  sample.source = "random codes";
  const bool pixels = !program.pixel_codes.empty();
  sample.codes.resize(static_cast<std::size_t>(count * engine.input_size()));
  for (std::int8_t& code : sample.codes) {
    const auto width = static_cast<std::uint32_t>(input.code_max - input.code_min + 1);
    if (pixels)
      sample.pixels.push_back(static_cast<std::uint8_t>(random.below(256)));
    else
      code = static_cast<std::int8_t>(input.code_min + static_cast<int>(random.below(width)));
  }
  return run(engine, std::move(sample));
}

Sample first(const Sample& sample, std::int64_t count) {
  Sample few = sample;
  few.count = std::min(count, sample.count);
  const auto shorten = [&](auto& values) {
    values.resize(values.size() / static_cast<std::size_t>(sample.count) *
                  static_cast<std::size_t>(few.count));
  };
  shorten(few.pixels);
  shorten(few.codes);
  shorten(few.outputs);
  return few;
}

Difference compare(const Sample& sample, const std::vector<std::int8_t>& found) {
  PARE_ENSURE(found.size() == sample.outputs.size());
  Difference d;
  d.codes = static_cast<std::int64_t>(found.size());
  const std::size_t size = found.size() / static_cast<std::size_t>(sample.count);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::int64_t distance = std::abs(int{found[i]} - int{sample.outputs[i]});
    if (distance == 0) continue;
    if (d.differing++ == 0) d.first_image = static_cast<std::int64_t>(i / size);
    d.largest = std::max(d.largest, distance);
  }
  for (std::size_t i = 0; i < found.size(); i += size) {
    d.labels += integer::Engine::label(std::span(found).subspan(i, size)) !=
                integer::Engine::label(std::span(sample.outputs).subspan(i, size));
  }
  return d;
}

}  // namespace pare
