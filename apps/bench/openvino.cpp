// OpenVINO through its C interface, declared here as far as it is used.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "apps/bench/library.h"
#include "apps/bench/peers.h"
#include "framework/base/error.h"

namespace pare::bench {
namespace {

struct Bounds {
  std::int64_t least, largest;
};
// ov_partial_shape_t
struct PartialShape {
  Bounds rank;
  Bounds* sides;
};

class OpenVino {
 public:
  explicit OpenVino(const PeerJob& job) : library_("libopenvino_c.so") {
    void *core = nullptr, *model = nullptr, *compiled = nullptr, *input = nullptr;
    float* values = nullptr;
    check(get<int(void**)>("ov_core_create")(&core), "ov_core_create");
    check(get<int(const void*, const char*, const char*, void**)>("ov_core_read_model")(
              core, onnx_model(job).c_str(), nullptr, &model),
          "ov_core_read_model");
    reshape(model, job);
    const std::string threads = std::to_string(job.threads);
    check(get<int(const void*, const void*, const char*, std::size_t, void**, ...)>(
              "ov_core_compile_model")(core, model, "CPU", 6, &compiled, "INFERENCE_NUM_THREADS",
                                       threads.c_str(), "PERFORMANCE_HINT", "LATENCY",
                                       "NUM_STREAMS", "1"),
          "ov_core_compile_model");
    check(get<int(const void*, void**)>("ov_compiled_model_create_infer_request")(compiled,
                                                                                  &request_),
          "ov_compiled_model_create_infer_request");
    check(get<int(const void*, void**)>("ov_infer_request_get_input_tensor")(request_, &input),
          "ov_infer_request_get_input_tensor");
    check(get<int(const void*, float**)>("ov_tensor_data")(input, &values), "ov_tensor_data");
    std::fill_n(values, job.batch * job.values, 0.5f);
    infer_ = get<int(void*)>("ov_infer_request_infer");
  }

  void run() { check(infer_(request_), "ov_infer_request_infer"); }

 private:
  template <class Function>
  Function* get(const char* name) const {
    return library_.function<Function>(name);
  }
  static void check(int status, const char* what) {
    if (status != 0) {
      throw FailedError(std::string("openvino: ") + what + " fails (" + std::to_string(status) +
                        ")");
    }
  }

  void reshape(void* model, const PeerJob& job) const {
    const auto side = static_cast<std::int64_t>(job.values == 784 ? 28 : 32);
    const std::int64_t channels = job.values / (side * side);
    Bounds sides[] = {{job.batch, job.batch}, {channels, channels}, {side, side}, {side, side}};
    check(get<int(const void*, PartialShape)>("ov_model_reshape_single_input")(model,
                                                                               {{4, 4}, sides}),
          "ov_model_reshape_single_input");
  }

  Library library_;
  void* request_ = nullptr;
  int (*infer_)(void*) = nullptr;
};

}  // namespace

Contender openvino_peer(const PeerJob& job) {
  const auto peer = std::make_shared<OpenVino>(job);
  peer->run();
  return caller("openvino", [peer] { peer->run(); });
}

}  // namespace pare::bench
