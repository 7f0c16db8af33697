// Blocks of images are the unit of parallel work: how many images a block has depends on the
// program alone, and every block writes its own outputs, so the number of threads changes nothing.
// Inside a block each step runs over all its images before the next one starts; tensor t of a
// block lies at block * offset[t] of the arena.
#include "compression/integer/engine.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <utility>

#include "compression/integer/kernels/fast.h"
#include "compression/integer/kernels/reference.h"
#include "compression/integer/operations.h"
#include "compression/integer/plan.h"
#include "compression/integer/validate.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"

namespace pare::integer {
namespace {

// Enough images that weights are reused, few enough that a block's activations stay in the cache.
std::int64_t images_per_block(const Plan& plan) {
  std::int64_t images = 16;
  while (images > 1 && images * plan.bytes > (std::int64_t{1} << 19)) images /= 2;
  return images;
}

// One way through the program.
struct Route {
  Route(const Program& program, Schedule s)
      : schedule(std::move(s)), plan(plan_arena(program, schedule)) {}
  const Schedule schedule;
  const Plan plan;
};

// A thread's memory while it runs a block.
struct Workspace {
  std::vector<std::int8_t> arena;
  Scratch scratch;
};

}  // namespace

struct Engine::Impl {
  Impl(Program p, const EngineOptions& options)
      : program((validate(p), std::move(p))),
        reference(options.reference),
        all(program, every_operation(program)),
        quick(program, reference ? every_operation(program) : fused_operations(program)),
        block(images_per_block(quick.plan)),
        fast(program, kernel_set(options.kernels), block) {
    if (!options.keep_codes && !reference) release_codes();
  }

  // Of the operations whose kernels have a form of their own.
  void release_codes() {
    for (std::size_t k = 0; k < program.operations.size(); ++k) {
      if (fast.by_reference(k)) continue;
      std::visit(
          [](auto& operation) {
            if constexpr (requires { operation.weights; }) {
              operation.weights.codes.clear();
              operation.weights.codes.shrink_to_fit();
            }
          },
          program.operations[k]);
    }
  }

  const Tensor& input() const { return program.tensors[program.input]; }
  const Tensor& output() const { return program.tensors[program.output]; }

  std::unique_ptr<Workspace> borrow(const Route& route);
  void give_back(std::unique_ptr<Workspace> workspace);
  std::pair<std::int32_t, std::int32_t> code_range(std::span<const std::int8_t> codes) const;
  void check_codes(std::span<const std::int8_t> codes) const;
  void run_step(const Route& route, std::size_t step, std::int64_t images,
                Workspace& workspace) const;
  template <class Visit>
  void run_block(const Route& route, std::span<const std::int8_t> codes, Workspace& workspace,
                 const Visit& visit) const;
  template <class Visit>
  void run_blocks(const Route& route, std::span<const std::int8_t> codes, const Visit& visit);

  Program program;
  const bool reference;
  const Route all;    // every tensor is written
  const Route quick;  // as few steps as possible
  const std::int64_t block;
  const FastKernels fast;
  std::mutex mutex;
  std::vector<std::unique_ptr<Workspace>> idle;  // workspaces that no thread uses
};

std::unique_ptr<Workspace> Engine::Impl::borrow(const Route& route) {
  std::unique_ptr<Workspace> workspace;
  {
    const std::lock_guard lock(mutex);
    if (!idle.empty()) {
      workspace = std::move(idle.back());
      idle.pop_back();
    }
  }
  if (workspace == nullptr)
    workspace = std::make_unique<Workspace>(Workspace{{}, fast.make_scratch()});
  const auto bytes = static_cast<std::size_t>(route.plan.bytes * block);
  if (workspace->arena.size() < bytes) workspace->arena.resize(bytes);
  return workspace;
}

void Engine::Impl::give_back(std::unique_ptr<Workspace> workspace) {
  const std::lock_guard lock(mutex);
  idle.push_back(std::move(workspace));
}

// The smallest and the largest code; those of the input's range where there is nothing to look at.
std::pair<std::int32_t, std::int32_t> Engine::Impl::code_range(
    std::span<const std::int8_t> codes) const {
  if (codes.empty() || (input().code_min == -128 && input().code_max == 127)) {
    return {input().code_min, input().code_max};
  }
  std::int32_t low = 127, high = -128;
  for (const std::int32_t code : codes) {
    low = std::min(low, code);
    high = std::max(high, code);
  }
  return {low, high};
}

// The overflow proof holds for codes inside the input's range only.
void Engine::Impl::check_codes(std::span<const std::int8_t> codes) const {
  const std::int64_t size = input().size();
  if (std::ssize(codes) % size != 0) {
    throw DataError("model '" + program.name + "': " + std::to_string(codes.size()) +
                    " input codes are no multiple of the " + std::to_string(size) +
                    " of one image");
  }
  const auto [low, high] = code_range(codes);
  if (low < input().code_min || high > input().code_max) {
    throw DataError("model '" + program.name + "': input codes from " + std::to_string(low) +
                    " to " + std::to_string(high) + ", expected " +
                    std::to_string(input().code_min) + " to " + std::to_string(input().code_max));
  }
}

void Engine::Impl::run_step(const Route& route, std::size_t index, std::int64_t images,
                            Workspace& workspace) const {
  const Step& step = route.schedule[index];
  const auto place = [&](std::int32_t tensor) {
    return workspace.arena.data() + route.plan.offsets[tensor] * block;
  };
  const std::int8_t* a = place(step.inputs[0]);
  const std::int8_t* b = step.inputs.count == 2 ? place(step.inputs[1]) : nullptr;
  std::int8_t* out = place(step.output);
  if (!reference) return fast.run(step, images, a, b, out, workspace.scratch);
  const std::int64_t in_size = program.tensors[step.inputs[0]].size();
  const std::int64_t out_size = program.tensors[step.output].size();
  for (std::int64_t i = 0; i < images; ++i) {
    run_reference(program, program.operations[step.first], a + i * in_size,
                  b == nullptr ? nullptr : b + i * in_size, out + i * out_size);
  }
}

// At most `block` images. visit(tensor, codes) is called for every tensor as soon as it is written.
template <class Visit>
void Engine::Impl::run_block(const Route& route, std::span<const std::int8_t> codes,
                             Workspace& workspace, const Visit& visit) const {
  const auto place = [&](std::int32_t tensor) {
    return workspace.arena.data() + route.plan.offsets[tensor] * block;
  };
  const std::int64_t images = std::ssize(codes) / input().size();
  workspace.scratch.backwards = !workspace.scratch.backwards;
  std::copy(codes.begin(), codes.end(), place(program.input));
  visit(program.input, place(program.input));
  for (std::size_t s = 0; s < route.schedule.size(); ++s) {
    run_step(route, s, images, workspace);
    const std::int32_t written = route.schedule[s].output;
    visit(written, place(written));
  }
}

// Runs all images. visit(tensor, first image, images, codes) is called for every tensor as soon as
// it is written.
template <class Visit>
void Engine::Impl::run_blocks(const Route& route, std::span<const std::int8_t> codes,
                              const Visit& visit) {
  check_codes(codes);
  const std::int64_t size = input().size();
  parallel_tiles(std::ssize(codes) / size, block, [&](std::int64_t begin, std::int64_t end) {
    std::unique_ptr<Workspace> workspace = borrow(route);
    run_block(route, codes.subspan(begin * size, (end - begin) * size), *workspace,
              [&](std::int32_t tensor, const std::int8_t* from) {
                visit(tensor, begin, end - begin, from);
              });
    give_back(std::move(workspace));
  });
}

Engine::Engine(Program program, EngineOptions options)
    : impl_(std::make_unique<Impl>(std::move(program), options)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;

const Program& Engine::program() const { return impl_->program; }
std::int64_t Engine::input_size() const { return impl_->input().size(); }
std::int64_t Engine::output_size() const { return impl_->output().size(); }
std::int64_t Engine::arena_bytes() const { return impl_->quick.plan.bytes; }

void Engine::run(std::span<const std::int8_t> codes, std::span<std::int8_t> outputs) const {
  const std::int64_t size = output_size();
  PARE_ENSURE(std::ssize(outputs) * input_size() == std::ssize(codes) * size);
  impl_->run_blocks(
      impl_->quick, codes,
      [&](std::int32_t tensor, std::int64_t first, std::int64_t images, const std::int8_t* from) {
        if (tensor == impl_->program.output)
          std::copy_n(from, images * size, outputs.data() + first * size);
      });
}

std::vector<std::vector<std::int8_t>> Engine::run_all(std::span<const std::int8_t> codes) const {
  const std::int64_t images = std::ssize(codes) / input_size();
  std::vector<std::vector<std::int8_t>> result;
  for (const Tensor& tensor : impl_->program.tensors) result.emplace_back(images * tensor.size());
  impl_->run_blocks(
      impl_->all, codes,
      [&](std::int32_t tensor, std::int64_t first, std::int64_t count, const std::int8_t* from) {
        const std::int64_t size = impl_->program.tensors[tensor].size();
        std::copy_n(from, count * size, result[tensor].data() + first * size);
      });
  return result;
}

std::vector<std::string> Engine::steps() const {
  std::vector<std::string> result;
  for (const Step& step : impl_->quick.schedule) {
    const std::string& name =
        impl_->program.tensors[output_of(impl_->program.operations[step.first])].name;
    result.push_back(name + ": " + impl_->fast.describe(step));
  }
  return result;
}

std::int64_t Engine::max_block() const { return impl_->block; }

void Engine::time_steps(std::span<const std::int8_t> codes, std::span<std::int64_t> times) const {
  using Clock = std::chrono::steady_clock;
  PARE_ENSURE(std::ssize(codes) <= max_block() * input_size());
  PARE_ENSURE(times.size() == impl_->quick.schedule.size());
  impl_->check_codes(codes);
  std::unique_ptr<Workspace> workspace = impl_->borrow(impl_->quick);
  std::size_t visits = 0;
  Clock::time_point before;
  impl_->run_block(impl_->quick, codes, *workspace, [&](std::int32_t, const std::int8_t*) {
    const Clock::time_point now = Clock::now();
    if (visits > 0) {
      times[visits - 1] += std::chrono::nanoseconds(now - before).count();
    }
    ++visits;
    before = now;
  });
  impl_->give_back(std::move(workspace));
}

void Engine::pixels_to_codes(std::span<const std::uint8_t> pixels,
                             std::span<std::int8_t> codes) const {
  const auto& tables = impl_->program.pixel_codes;
  if (tables.empty()) {
    throw DataError(
        "model '" + impl_->program.name +
        "' has no table of pixel codes: its data were not bytes; give it int8 codes instead");
  }
  PARE_ENSURE(pixels.size() == codes.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) codes[i] = tables[i % tables.size()][pixels[i]];
}

std::int32_t Engine::label(std::span<const std::int8_t> scores) {
  return static_cast<std::int32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

struct Runner::Impl {
  const Engine::Impl& engine;
  std::unique_ptr<Workspace> workspace;
  std::vector<std::int8_t> codes;  // of a block of pixels

  std::int64_t input_size() const { return engine.input().size(); }

  void run_block(std::span<const std::int8_t> block, std::int8_t* outputs) const {
    const std::int64_t images = std::ssize(block) / input_size();
    engine.run_block(engine.quick, block, *workspace,
                     [&](std::int32_t tensor, const std::int8_t* from) {
                       if (tensor == engine.program.output)
                         std::copy_n(from, images * engine.output().size(), outputs);
                     });
  }

  // Calls body(first, images) for every block of `images`.
  template <class Body>
  void for_each_block(std::int64_t images, const Body& body) const {
    for (std::int64_t first = 0; first < images; first += engine.block) {
      body(first, std::min(engine.block, images - first));
    }
  }
};

Runner::Runner(const Engine& engine)
    : impl_(std::make_unique<Impl>(Impl{*engine.impl_, nullptr, {}})) {
  const Engine::Impl& e = *engine.impl_;
  impl_->workspace = std::make_unique<Workspace>(
      Workspace{std::vector<std::int8_t>(static_cast<std::size_t>(e.quick.plan.bytes * e.block)),
                e.fast.make_scratch()});
  impl_->codes.resize(static_cast<std::size_t>(e.block * engine.input_size()));
}
Runner::~Runner() = default;
Runner::Runner(Runner&&) noexcept = default;

bool Runner::run(std::span<const std::int8_t> codes, std::span<std::int8_t> outputs) noexcept {
  const auto [low, high] = impl_->engine.code_range(codes);
  const Tensor& input = impl_->engine.input();
  if (low < input.code_min || high > input.code_max) return false;
  const std::int64_t size = input.size(), out = impl_->engine.output().size();
  impl_->for_each_block(std::ssize(codes) / size, [&](std::int64_t first, std::int64_t images) {
    impl_->run_block(codes.subspan(first * size, images * size), outputs.data() + first * out);
  });
  return true;
}

void Runner::run_pixels(std::span<const std::uint8_t> pixels,
                        std::span<std::int8_t> outputs) noexcept {
  const auto& tables = impl_->engine.program.pixel_codes;
  const std::int64_t size = impl_->input_size(), out = impl_->engine.output().size();
  impl_->for_each_block(std::ssize(pixels) / size, [&](std::int64_t first, std::int64_t images) {
    for (std::int64_t i = 0; i < images * size; ++i) {
      impl_->codes[i] = tables[i % tables.size()][pixels[first * size + i]];
    }
    impl_->run_block(std::span(impl_->codes).first(images * size), outputs.data() + first * out);
  });
}

}  // namespace pare::integer
