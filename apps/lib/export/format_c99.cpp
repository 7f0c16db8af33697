// C99: compiled by the system's compiler, run on every image of the sample, no code may differ.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/lib/export/compiled.h"
#include "apps/lib/export/formats.h"
#include "compression/exporters/c99/c99.h"
#include "framework/base/error.h"

namespace pare {
namespace {

constexpr std::int64_t kGoldenImages = 4;

std::string verify(const ExportJob& job, const C99Export& result) {
  if (!job.verify) return "not verified (--verify 0); the self test holds the engine's codes";
  const std::optional<std::string> compiler = c_compiler();
  if (!compiler) {
    return "not verified: this machine has no C compiler (cc; or name one in $CC); the self test "
           "holds the engine's codes";
  }
  const CompiledOutputs outputs = run_compiled(*compiler, result, job.bytes, job.sample);
  require_equal(job.sample, outputs.from_codes, result.name + "_run");
  if (!outputs.from_pixels.empty()) {
    require_equal(job.sample, outputs.from_pixels, result.name + "_run_pixels");
  }
  return fmt::format("verified: compiled by {}, 0 of {} codes differ from the engine's ({} {})",
                     *compiler, outputs.from_codes.size() + outputs.from_pixels.size(),
                     job.sample.count, job.sample.source);
}

config::Json sizes_json(const C99Export& result) {
  config::Json layers = config::Json::array();
  for (const C99Size& layer : result.layers) {
    layers.push_back({{"name", layer.name},
                      {"kind", layer.kind},
                      {"weights_as", layer.form},
                      {"weights", layer.weights},
                      {"tables", layer.tables},
                      {"ram", layer.ram}});
  }
  return {{"layers", std::move(layers)},
          {"pixel_table", result.pixel_table},
          {"tables", result.tables()},
          {"arena", result.arena}};
}

}  // namespace

Exported export_as_c99(const ExportJob& job) {
  const Sample few = first(job.sample, kGoldenImages);
  const std::span<const std::uint8_t> codes(reinterpret_cast<const std::uint8_t*>(few.codes.data()),
                                            few.codes.size());
  const C99Golden golden{static_cast<std::size_t>(few.count),
                         few.pixels.empty() ? codes : std::span(few.pixels), few.outputs};
  const C99Export result = export_c99(job.program, golden, {job.name, job.bytes});
  Exported exported;
  exported.verified = verify(job, result);
  exported.files = {{result.name + ".h", result.header},
                    {result.name + ".c", result.source},
                    {result.name + "_selftest.c", result.selftest}};
  exported.report = size_report(result);
  exported.json = sizes_json(result);
  return exported;
}

}  // namespace pare
