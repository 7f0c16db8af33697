// Two small services for the tools of this folder, which compare Pare with other people's programs:
//
//   weights logits MODEL.json HEIGHT WIDTH CHANNELS WEIGHTS IMAGES   prints a line of logits per image
//   weights safetensors CHECKPOINT OUT                               its network's arrays as safetensors
//
// MODEL.json is a list of nodes, IMAGES raw float32. No error handling beyond what the libraries do.
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/lib/checkpoint.h"
#include "apps/lib/command_line.h"
#include "apps/lib/init_from.h"
#include "framework/base/file.h"
#include "framework/io/safetensors.h"
#include "layers/model_config.h"

namespace pare {
namespace {

int print_logits(char** arguments) {
  const std::vector<std::byte> text = read_file(arguments[0], 1 << 20);
  const char* begin = reinterpret_cast<const char*>(text.data());
  const Shape image{std::atoi(arguments[1]), std::atoi(arguments[2]), std::atoi(arguments[3])};
  Network network =
      network_from_json(nlohmann::ordered_json::parse(begin, begin + text.size()), image);
  network.initialize(1);
  init_from(network, arguments[4]);
  const std::vector<std::byte> bytes = read_file(arguments[5], 1 << 28);
  const auto count = static_cast<std::int64_t>(bytes.size() / sizeof(float)) / image.size();
  Tensor images = Tensor::persistent({count, image[0], image[1], image[2]});
  std::memcpy(images.mutable_data(), bytes.data(), bytes.size());
  const Variable y = network.forward(Variable(images), Pass::begin(Pass::Mode::evaluate, 1, 0));
  const std::int64_t classes = y.shape()[-1];
  for (std::int64_t i = 0; i < y.value().size(); ++i) {
    std::printf("%.9g%c", static_cast<double>(y.value().data()[i]),
                (i + 1) % classes == 0 ? '\n' : ' ');
  }
  return 0;
}

int write_safetensors(char** arguments) {
  SafeTensors file{.metadata = {{"format", "pare"}}, .arrays = {}};
  for (NamedArray& array : part_of(load_checkpoint(arguments[0]).arrays, kNetworkArrays)) {
    array.name = array.name.substr(std::strlen(kNetworkArrays));
    file.arrays.push_back(std::move(array));
  }
  save_safetensors(arguments[1], file);
  return 0;
}

}  // namespace
}  // namespace pare

int main(int argc, char** argv) {
  return pare::run_main([&] {
    const std::string what = argc > 1 ? argv[1] : "";
    if (what == "logits" && argc == 8) return pare::print_logits(argv + 2);
    if (what == "safetensors" && argc == 4) return pare::write_safetensors(argv + 2);
    std::fputs("usage: see the head of tests/interop/weights.cpp\n", stderr);
    return 2;
  });
}
