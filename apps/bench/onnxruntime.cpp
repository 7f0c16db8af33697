// ONNX Runtime through its C interface: Python's overhead per call is larger than these runs.
//
// The interface is a table of function pointers whose order never changes. Only the entries that
// are used have names here, so that no header is needed; the number is the entry's place in the
// table.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "apps/bench/library.h"
#include "apps/bench/peers.h"
#include "framework/base/error.h"

namespace pare::bench {
namespace {

struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtMemoryInfo;
struct OrtValue;

// What OrtGetApiBase returns.
struct OrtApiBase {
  void* const* (*table)(std::uint32_t version);
  const char* (*version)();
};

constexpr std::uint32_t kApiVersion = 13;
constexpr int kFloat = 1;                // of ONNXTensorElementDataType
constexpr int kAllOptimizations = 99;    // of GraphOptimizationLevel
constexpr int kWarning = 2, kArena = 1;  // of OrtLoggingLevel, OrtAllocatorType
constexpr int kDefaultMemory = 0;        // of OrtMemType

enum Entry : std::size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetGraphOptimization = 23,
  kSetIntraOpThreads = 24,
  kSessionGetInputName = 36,
  kSessionGetOutputName = 37,
  kCreateTensorWithData = 49,
  kCreateCpuMemoryInfo = 69,
  kGetDefaultAllocator = 78,
};

template <class... Arguments>
using Function = OrtStatus* (*)(Arguments...);

class OnnxRuntime {
 public:
  explicit OnnxRuntime(const PeerJob& job)
      : table_(base().table(kApiVersion)),
        input_(static_cast<std::size_t>(job.batch * job.values), 0.5f),
        output_(static_cast<std::size_t>(job.batch * 10)) {
    if (table_ == nullptr) throw FailedError("onnxruntime: the library is too old");
    OrtEnv* env = nullptr;
    check(call<int, const char*, OrtEnv**>(kCreateEnv)(kWarning, "bench", &env));
    OrtSessionOptions* options = nullptr;
    check(call<OrtSessionOptions**>(kCreateSessionOptions)(&options));
    check(call<OrtSessionOptions*, int>(kSetIntraOpThreads)(options, job.threads));
    check(call<OrtSessionOptions*, int>(kSetGraphOptimization)(options, kAllOptimizations));
    check(call<const OrtEnv*, const char*, const OrtSessionOptions*, OrtSession**>(kCreateSession)(
        env, onnx_model(job).c_str(), options, &session_));
    name_tensors();
    const auto side = static_cast<std::int64_t>(job.values == 784 ? 28 : 32);
    inputs_ = tensor(input_, {job.batch, job.values / (side * side), side, side});
    outputs_ = tensor(output_, {job.batch, 10});
  }

  void run() {
    check(call<OrtSession*, const void*, const char* const*, const OrtValue* const*, std::size_t,
               const char* const*, std::size_t, OrtValue**>(kRun)(
        session_, nullptr, &input_name_, &inputs_, 1, &output_name_, 1, &outputs_));
  }

 private:
  static const OrtApiBase& base() {
    return *Library("libonnxruntime.so").function<const OrtApiBase*()>("OrtGetApiBase")();
  }

  template <class... Arguments>
  Function<Arguments...> call(Entry entry) const {
    return reinterpret_cast<Function<Arguments...>>(table_[entry]);
  }
  void check(OrtStatus* status) const {
    if (status == nullptr) return;
    const auto text = reinterpret_cast<const char* (*)(const OrtStatus*)>(table_[kGetErrorMessage]);
    throw FailedError(std::string("onnxruntime: ") + text(status));
  }

  void name_tensors() {
    void* allocator = nullptr;
    check(call<void**>(kGetDefaultAllocator)(&allocator));
    const auto name = [&](Entry entry) {
      char* text = nullptr;
      check(call<const OrtSession*, std::size_t, void*, char**>(entry)(session_, 0, allocator,
                                                                       &text));
      return text;
    };
    input_name_ = name(kSessionGetInputName);
    output_name_ = name(kSessionGetOutputName);
  }

  OrtValue* tensor(std::vector<float>& values, const std::vector<std::int64_t>& shape) const {
    OrtMemoryInfo* memory = nullptr;
    check(call<int, int, OrtMemoryInfo**>(kCreateCpuMemoryInfo)(kArena, kDefaultMemory, &memory));
    OrtValue* value = nullptr;
    check(call<const OrtMemoryInfo*, void*, std::size_t, const std::int64_t*, std::size_t, int,
               OrtValue**>(kCreateTensorWithData)(memory, values.data(),
                                                  values.size() * sizeof(float), shape.data(),
                                                  shape.size(), kFloat, &value));
    return value;
  }

  void* const* table_;
  std::vector<float> input_, output_;
  OrtSession* session_ = nullptr;
  OrtValue* inputs_ = nullptr;
  OrtValue* outputs_ = nullptr;
  const char* input_name_ = nullptr;
  const char* output_name_ = nullptr;
};

}  // namespace

Contender onnxruntime_peer(const PeerJob& job) {
  const auto peer = std::make_shared<OnnxRuntime>(job);
  peer->run();
  return caller("onnxruntime", [peer] { peer->run(); });
}

}  // namespace pare::bench
