// LiteRT, which is TensorFlow Lite by its new name, with XNNPACK's kernels: through its C
// interface, declared here as far as it is used.
//
// Models are our own programs in the form that `export --format tflite` writes, so that outputs can
// be held against ours: XNNPACK rounds once where the reference kernels round twice, which moves
// codes by one here and there, and sums of such codes by little more.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/bench/library.h"
#include "apps/bench/networks.h"
#include "apps/bench/peers.h"
#include "compression/exporters/tflite/tflite.h"
#include "compression/integer/engine.h"
#include "framework/base/error.h"

namespace pare::bench {
namespace {

using Handle = void*;  // of LiteRtEnvironment, LiteRtModel, ...

// LiteRtLayout and LiteRtRankedTensorType.
struct Layout {
  unsigned rank : 7, has_strides : 1;
  std::int32_t dimensions[8];
  std::uint32_t strides[8];
};
struct TensorType {
  int element;
  Layout layout;
};
static_assert(sizeof(TensorType) == 72);

// LiteRtEnvOption, whose value is an integer here.
struct Setting {
  int tag, pad = 0;
  int type = 2, pad_of_value = 0;
  std::int64_t value;
};
static_assert(sizeof(Setting) == 24);

constexpr int kFloat = 1, kInt8 = 9;                  // of LiteRtElementType
constexpr int kCpu = 1;                               // of LiteRtHwAccelerators
constexpr int kRegistered = 24, kLeastSeverity = 25;  // of LiteRtEnvOptionTag
constexpr int kError = 3;                             // of LiteRtLogSeverity
constexpr int kRead = 0, kWrite = 1;                  // of LiteRtTensorBufferLockMode
constexpr int kLargestDifference = 3;                 // of output codes

class LiteRt {
 public:
  LiteRt(const PeerJob& job, int element, std::vector<std::byte> model)
      : library_("libLiteRt.so"), model_(std::move(model)) {
    const Setting settings[] = {{.tag = kRegistered, .value = kCpu},
                                {.tag = kLeastSeverity, .value = kError}};
    Handle environment = nullptr, loaded = nullptr;
    call("LiteRtCreateEnvironment", 2, +settings, &environment);
    call("LiteRtCreateModelFromBuffer", environment, static_cast<const void*>(model_.data()),
         model_.size(), &loaded);
    call("LiteRtCreateCompiledModel", environment, loaded, options(job.threads), &compiled_);
    bool all = false;
    call("LiteRtCompiledModelIsFullyAccelerated", compiled_, &all);
    if (!all) throw FailedError("litert: XNNPACK does not take every operation of the model");
    const int side = job.values == 784 ? 28 : 32;
    const auto batch = static_cast<std::int32_t>(job.batch);
    const auto channels = static_cast<std::int32_t>(job.values / (side * side));
    input_ = buffer(environment, {element, {4, 0, {batch, side, side, channels}, {}}},
                    "LiteRtGetCompiledModelInputBufferRequirements");
    output_ = buffer(environment, {element, {2, 0, {batch, 10}, {}}},
                     "LiteRtGetCompiledModelOutputBufferRequirements");
    run_ = library_.function<Run>("LiteRtRunCompiledModel");
  }

  void run() { check(run_(compiled_, 0, 1, &input_, 1, &output_), "LiteRtRunCompiledModel"); }

  template <class T>
  void write(const std::vector<T>& values) {
    void* at = nullptr;
    call("LiteRtLockTensorBuffer", input_, &at, kWrite);
    std::memcpy(at, values.data(), values.size() * sizeof(T));
    call("LiteRtUnlockTensorBuffer", input_);
  }
  template <class T>
  void read(std::vector<T>& values) {
    void* at = nullptr;
    call("LiteRtLockTensorBuffer", output_, &at, kRead);
    std::memcpy(values.data(), at, values.size() * sizeof(T));
    call("LiteRtUnlockTensorBuffer", output_);
  }

 private:
  using Run = int(Handle, std::size_t, std::size_t, Handle*, std::size_t, Handle*);

  static void check(int status, const char* what) {
    if (status == 0) return;
    throw FailedError(std::string("litert: ") + what + " fails (" + std::to_string(status) + ")");
  }
  template <class... Arguments>
  void call(const char* name, Arguments... arguments) const {
    check(library_.function<int(Arguments...)>(name)(arguments...), name);
  }

  // Options of the CPU travel as text, which the library frees.
  Handle options(int threads) const {
    const std::string text =
        "kernel_mode = \"delegate\"\nnum_threads = " + std::to_string(threads) + "\n";
    Handle all = nullptr, cpu = nullptr;
    call("LiteRtCreateOptions", &all);
    call("LiteRtSetOptionsHardwareAccelerators", all, kCpu);
    call("LiteRtCreateOpaqueOptions", "xnnpack", static_cast<void*>(strdup(text.c_str())),
         &std::free, &cpu);
    call("LiteRtAddOpaqueOptions", all, cpu);
    return all;
  }

  Handle buffer(Handle environment, const TensorType& type, const char* requirements_of) const {
    Handle requirements = nullptr, created = nullptr;
    call(requirements_of, compiled_, std::size_t{0}, std::size_t{0}, &requirements);
    call("LiteRtCreateManagedTensorBufferFromRequirements", environment, &type, requirements,
         &created);
    return created;
  }

  Library library_;
  const std::vector<std::byte> model_;  // the library reads it as long as it runs
  Handle compiled_ = nullptr, input_ = nullptr, output_ = nullptr;
  Run* run_ = nullptr;
};

// What the model in the file computes, by our engine.
std::vector<std::int8_t> right_outputs(const integer::Program& program,
                                       const std::vector<std::int8_t>& codes) {
  const integer::Engine engine(decode_tflite(encode_tflite(program, false), program.name));
  std::vector<std::int8_t> outputs(codes.size() / static_cast<std::size_t>(engine.input_size()) *
                                   static_cast<std::size_t>(engine.output_size()));
  engine.run(codes, outputs);
  return outputs;
}

template <class T>
std::vector<T> first_outputs(LiteRt& peer, const std::vector<T>& inputs, std::size_t count) {
  peer.write(inputs);
  peer.run();
  std::vector<T> outputs(count);
  peer.read(outputs);
  return outputs;
}

void check_codes(LiteRt& peer, const integer::Program& program,
                 const std::vector<std::int8_t>& codes) {
  const std::vector<std::int8_t> right = right_outputs(program, codes);
  const std::vector<std::int8_t> found = first_outputs(peer, codes, right.size());
  for (std::size_t i = 0; i < right.size(); ++i) {
    if (std::abs(right[i] - found[i]) <= kLargestDifference) continue;
    throw FailedError("litert: output " + std::to_string(i) + " is " + std::to_string(found[i]) +
                      ", ours is " + std::to_string(right[i]));
  }
}

// Codes are no measure for these: random weights leave the ends of int8, where codes are cut off.
void check_reals(LiteRt& peer, const PeerJob& job) {
  const std::vector<float> inputs(static_cast<std::size_t>(job.batch * job.values), 0.5f);
  for (const float y : first_outputs(peer, inputs, static_cast<std::size_t>(job.batch * 10))) {
    if (!std::isfinite(y) || y == 0) throw FailedError("litert: an output is " + std::to_string(y));
  }
}

}  // namespace

Contender litert_peer(const PeerJob& job) {
  const integer::Program program = network(job.net);
  const auto images = static_cast<std::int32_t>(job.batch);
  const bool real = job.precision == "fp32";
  const auto peer = std::make_shared<LiteRt>(
      job, real ? kFloat : kInt8,
      real ? encode_float_tflite(program, images) : encode_tflite(program, false, images));
  if (real) {
    check_reals(*peer, job);
  } else {
    check_codes(*peer, program, some_codes(job.batch * job.values));
  }
  return caller("litert", [peer] { peer->run(); });
}

}  // namespace pare::bench
