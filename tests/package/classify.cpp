// Classifies the images of a file of bytes: classify MODEL.pare PIXELS
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <pare_integer.hpp>
#include <vector>

int main(int count, char** words) try {
  if (count != 3) return 2;
  const pare::Model model = pare::Model::from_file(words[1]);
  pare::Runner runner(model);

  std::ifstream file(words[2], std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  const auto* pixels = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const std::size_t images = bytes.size() / model.input_size();

  std::vector<std::int8_t> outputs(images * model.output_size());
  if (runner.run_pixels(pixels, images, outputs.data()) != PARE_OK) return 1;
  for (std::size_t i = 0; i < images; ++i) {
    const std::int8_t* scores = outputs.data() + i * model.output_size();
    std::printf("%d\n", static_cast<int>(pare_label(scores, model.output_size())));
  }
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 3;
}
