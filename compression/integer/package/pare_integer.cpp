// The C interface over Engine and Runner: no exception crosses it.
#include "compression/integer/package/pare_integer.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>

#include "compression/integer/engine.h"
#include "compression/integer/model_file.h"

using pare::integer::Engine;
using pare::integer::Program;
using pare::integer::Runner;
using pare::integer::Tensor;

struct pare_model {
  Engine engine;
};

struct pare_runner {
  const pare_model* model;
  Runner runner;
};

namespace {

void say(std::string_view reason, char* message, std::size_t message_size) {
  if (message == nullptr || message_size == 0) return;
  const std::size_t size = std::min(reason.size(), message_size - 1);
  std::memcpy(message, reason.data(), size);
  message[size] = '\0';
}

// What `load` returns, or NULL and the reason.
template <class Load>
pare_model* loaded(char* message, std::size_t message_size, const Load& load) {
  try {
    return new pare_model{Engine(load(), {.keep_codes = false})};
  } catch (const std::exception& error) {
    say(error.what(), message, message_size);
  } catch (...) {
    say("an error of no known kind", message, message_size);
  }
  return nullptr;
}

pare_tensor described(const Tensor& t) {
  return {t.height, t.width, t.channels, t.zero_point, t.scale_bits};
}

}  // namespace

pare_model* pare_load_file(const char* path, char* message, size_t message_size) {
  return loaded(message, message_size, [&] {
    if (path == nullptr) throw std::invalid_argument("the path is NULL");
    return pare::integer::load_model(path);
  });
}

pare_model* pare_load_memory(const void* bytes, size_t size, char* message, size_t message_size) {
  return loaded(message, message_size, [&] {
    if (bytes == nullptr) throw std::invalid_argument("the bytes are NULL");
    return pare::integer::decode_model({static_cast<const std::byte*>(bytes), size}, "the model");
  });
}

void pare_model_free(pare_model* model) { delete model; }

pare_tensor pare_input(const pare_model* model) {
  const Program& program = model->engine.program();
  return described(program.tensors[static_cast<std::size_t>(program.input)]);
}
pare_tensor pare_output(const pare_model* model) {
  const Program& program = model->engine.program();
  return described(program.tensors[static_cast<std::size_t>(program.output)]);
}
size_t pare_input_size(const pare_model* model) {
  return static_cast<std::size_t>(model->engine.input_size());
}
size_t pare_output_size(const pare_model* model) {
  return static_cast<std::size_t>(model->engine.output_size());
}
size_t pare_arena_size(const pare_model* model) {
  return static_cast<std::size_t>(model->engine.arena_bytes());
}

pare_runner* pare_runner_new(const pare_model* model) {
  if (model == nullptr) return nullptr;
  try {
    return new pare_runner{model, Runner(model->engine)};
  } catch (...) {
    return nullptr;
  }
}

void pare_runner_free(pare_runner* runner) { delete runner; }

pare_status pare_run(pare_runner* runner, const int8_t* codes, size_t images, int8_t* outputs) {
  if (runner == nullptr || codes == nullptr || outputs == nullptr) return PARE_NULL;
  const bool fits = runner->runner.run({codes, images * pare_input_size(runner->model)},
                                       {outputs, images * pare_output_size(runner->model)});
  return fits ? PARE_OK : PARE_RANGE;
}

pare_status pare_run_pixels(pare_runner* runner, const uint8_t* pixels, size_t images,
                            int8_t* outputs) {
  if (runner == nullptr || pixels == nullptr || outputs == nullptr) return PARE_NULL;
  if (runner->model->engine.program().pixel_codes.empty()) return PARE_NO_PIXELS;
  runner->runner.run_pixels({pixels, images * pare_input_size(runner->model)},
                            {outputs, images * pare_output_size(runner->model)});
  return PARE_OK;
}

int32_t pare_label(const int8_t* outputs, size_t count) { return Engine::label({outputs, count}); }
