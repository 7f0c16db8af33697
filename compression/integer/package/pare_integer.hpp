// The C++ interface of the package pare_integer: pare_integer.h with owners instead of pointers to
// free. C++17; loading throws std::runtime_error, running never throws.
#pragma once

#include <pare_integer.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>

namespace pare {

class Model {
 public:
  static Model from_file(const std::string& path) {
    char message[512] = "";
    return Model(pare_load_file(path.c_str(), message, sizeof message), message);
  }
  static Model from_memory(const void* bytes, std::size_t size) {
    char message[512] = "";
    return Model(pare_load_memory(bytes, size, message, sizeof message), message);
  }

  pare_tensor input() const { return pare_input(get()); }
  pare_tensor output() const { return pare_output(get()); }
  std::size_t input_size() const { return pare_input_size(get()); }
  std::size_t output_size() const { return pare_output_size(get()); }
  std::size_t arena_size() const { return pare_arena_size(get()); }
  const pare_model* get() const { return model_.get(); }

 private:
  Model(pare_model* model, const char* message) : model_(model, pare_model_free) {
    if (model == nullptr) throw std::runtime_error(message);
  }
  std::unique_ptr<pare_model, void (*)(pare_model*)> model_;
};

// One thread's way to run a model, which must outlive it. Allocates here and nowhere else.
class Runner {
 public:
  explicit Runner(const Model& model) : runner_(pare_runner_new(model.get()), pare_runner_free) {
    if (model.get() == nullptr) throw std::invalid_argument("the model was moved from");
    if (runner_ == nullptr) throw std::bad_alloc();
  }

  pare_status run(const std::int8_t* codes, std::size_t images, std::int8_t* outputs) noexcept {
    return pare_run(runner_.get(), codes, images, outputs);
  }
  pare_status run_pixels(const std::uint8_t* pixels, std::size_t images,
                         std::int8_t* outputs) noexcept {
    return pare_run_pixels(runner_.get(), pixels, images, outputs);
  }

 private:
  std::unique_ptr<pare_runner, void (*)(pare_runner*)> runner_;
};

}  // namespace pare
