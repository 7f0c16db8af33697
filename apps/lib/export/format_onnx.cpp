// ONNX: the bytes are read back and every node is evaluated by ONNX's definitions. ONNX rounds in
// its own way, so codes may differ: by one per operation, given the engine's codes as its inputs.
// Such differences may flip labels that hang on them, and next to no others.
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <utility>

#include "apps/lib/export/formats.h"
#include "compression/exporters/onnx/evaluate.h"
#include "compression/exporters/onnx/onnx.h"
#include "framework/base/error.h"
#include "framework/base/parallel.h"

namespace pare {
namespace {

constexpr std::int64_t kBlock = 64;  // images whose tensors are held at once
constexpr int kAllowed = 1;          // between codes of an operation
// A label hangs on a code where the two best ones are no farther apart than both may differ.
constexpr int kDecided = 2 * kAllowed;
constexpr std::int64_t kLabelsPerMille = 1;

// What one image shows.
struct Seen {
  std::int64_t codes = 0, differing = 0;  // of operations on the engine's codes
  int largest = 0;
  std::string where;                // the tensor with the largest difference
  std::vector<std::int8_t> result;  // of the whole graph on its own
};

class Verification {
 public:
  Verification(const ExportJob& job, const std::vector<std::byte>& file, const std::string& name)
      : job_(job), name_(name), engine_(job.program), graph_(onnx::decode(file, name), name) {
    const std::vector<std::string> names = onnx_names(job.program);
    for (std::size_t t = 0; t < names.size(); ++t) {
      if (std::cmp_not_equal(t, job.program.input)) tensor_of_[names[t]] = t;
    }
  }

  std::string run() {
    for (std::int64_t begin = 0; begin < job_.sample.count; begin += kBlock) {
      run_block(begin, std::min(kBlock, job_.sample.count - begin));
    }
    require_close();
    const Difference end = compare(job_.sample, outputs_);
    return fmt::format(
        "verified: read back and evaluated; given the engine's codes, {} of {} codes of operations "
        "differ, by at most {} (allowed: {}); alone, {} of {} output codes, by at most {}, and {} "
        "of "
        "{} labels, {} of them where more than {} codes decide ({} {})",
        differing_, codes_, largest_, kAllowed, end.differing, end.codes, end.largest, end.labels,
        job_.sample.count, decided_, kDecided, job_.sample.count, job_.sample.source);
  }

 private:
  void run_block(std::int64_t begin, std::int64_t count) {
    const auto codes = std::span(job_.sample.codes)
                           .subspan(static_cast<std::size_t>(begin * engine_.input_size()),
                                    static_cast<std::size_t>(count * engine_.input_size()));
    const auto tensors = engine_.run_all(codes);
    std::vector<Seen> seen(static_cast<std::size_t>(count));
    parallel_for(count, [&](std::int64_t i) {
      seen[static_cast<std::size_t>(i)] = run_image(codes, tensors, i);
    });
    for (std::int64_t i = 0; i < count; ++i) {
      add(seen[static_cast<std::size_t>(i)], begin + i);
    }
  }

  Seen run_image(std::span<const std::int8_t> codes,
                 const std::vector<std::vector<std::int8_t>>& tensors, std::int64_t image) const {
    const std::int64_t size = engine_.input_size();
    std::vector<double> input;
    for (std::int64_t i = 0; i < size; ++i) {
      const int code = codes[static_cast<std::size_t>(image * size + i)];
      input.push_back(job_.bytes ? code + 128 : code);
    }
    Seen seen;
    graph_.run(input, [&](const std::string& value, std::vector<double>& found) {
      const auto at = tensor_of_.find(value);
      if (at != tensor_of_.end()) check(tensors, at->second, image, found, seen);
    });
    for (const double code : graph_.run(input)) {
      seen.result.push_back(static_cast<std::int8_t>(job_.bytes ? code - 128 : code));
    }
    return seen;
  }

  // Compares an operation's codes with the engine's, and goes on from those.
  void check(const std::vector<std::vector<std::int8_t>>& tensors, std::size_t t,
             std::int64_t image, std::vector<double>& found, Seen& seen) const {
    const integer::Tensor& shape = job_.program.tensors[t];
    const std::int64_t pixels = std::int64_t{shape.height} * shape.width;
    if (std::ssize(found) != shape.size()) throw DataError(name_ + ": a shape is not the engine's");
    seen.codes += shape.size();
    for (std::int64_t i = 0; i < shape.size(); ++i) {  // theirs: channels first, code + 128
      const std::int64_t ours = i % pixels * shape.channels + i / pixels;
      const int code = tensors[t][static_cast<std::size_t>(image * shape.size() + ours)] + 128;
      double& theirs = found[static_cast<std::size_t>(i)];
      const int distance = std::abs(static_cast<int>(theirs) - code);
      seen.differing += distance != 0;
      if (distance > seen.largest) {
        seen.largest = distance;
        seen.where = shape.name;
      }
      theirs = code;
    }
  }

  void add(const Seen& seen, std::int64_t image) {
    codes_ += seen.codes;
    differing_ += seen.differing;
    largest_ = std::max(largest_, seen.largest);
    if (seen.largest > kAllowed) {
      throw VerificationError(
          fmt::format("{}: '{}' has a code that differs by {} from the engine's, in image {}; "
                      "expected at most {}",
                      name_, seen.where, seen.largest, image, kAllowed));
    }
    const auto size = static_cast<std::size_t>(engine_.output_size());
    const auto ours =
        std::span(job_.sample.outputs).subspan(static_cast<std::size_t>(image) * size, size);
    const std::int32_t label = integer::Engine::label(ours);
    if (integer::Engine::label(seen.result) != label) {
      bool close = false;
      for (std::size_t i = 0; i < size; ++i) {
        close |= std::cmp_not_equal(i, label) &&
                 ours[static_cast<std::size_t>(label)] - ours[i] <= kDecided;
      }
      decided_ += !close;
    }
    outputs_.insert(outputs_.end(), seen.result.begin(), seen.result.end());
  }

  void require_close() const {
    if (decided_ * 1000 <= job_.sample.count * kLabelsPerMille) return;
    throw VerificationError(
        fmt::format("{}: {} of {} images have another label than the engine's, though it decides "
                    "them by more than {} codes; expected at most {} in 1000",
                    name_, decided_, job_.sample.count, kDecided, kLabelsPerMille));
  }

  const ExportJob& job_;
  const std::string& name_;
  const integer::Engine engine_;
  const onnx::Evaluation graph_;
  std::map<std::string, std::size_t> tensor_of_;
  std::int64_t codes_ = 0, differing_ = 0, decided_ = 0;
  int largest_ = 0;
  std::vector<std::int8_t> outputs_;
};

}  // namespace

Exported export_as_onnx(const ExportJob& job) {
  const std::vector<std::byte> bytes = onnx::encode(onnx_graph(job.program, job.bytes));
  const std::string name = job.name + ".onnx";
  Exported exported;
  exported.files = {{name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}}};
  exported.verified = "not verified (--verify 0)";
  if (job.verify)
    exported.verified = read_back([&] { return Verification(job, bytes, name).run(); });
  return exported;
}

}  // namespace pare
