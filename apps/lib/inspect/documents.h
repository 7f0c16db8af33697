// What `inspect` finds in a config, a checkpoint, a model or a run, as JSON: the one form that the
// text (text.h) and the difference of two runs (difference.h) are made of.
//
// Every document has "what" ("config", "checkpoint", "model", "run") and "path".
#pragma once

#include <string>

#include "apps/lib/recognize.h"
#include "framework/config/value.h"

namespace pare {

// {config, network: {nodes: [{name, kind, shape, parameters, macs}], parameters, macs}}; network is
// null where the shape of the images is known with the data only.
config::Json config_document(const std::string& path);

// {name, phase, epoch, run_step, accuracy: {float, validation}, sparsity, network: {nodes: [...],
// parameters, macs}, chains: {parameter: [...]}, arrays: [{name, type, shape, bytes}], bytes}
config::Json checkpoint_document(const std::string& path);

// {name, rounding, input, operations: [{kind, output, shape, weights, zeros, bits, coding, bytes
// per coding, macs}], sections: [{operation, part, bytes}], bytes, arena}; the sections' bytes add
// up to the file's.
config::Json model_document(const std::string& path);

// {config, result: result.json or null, checkpoints: [...], files: [{name, bytes}]}
config::Json run_document(const std::string& folder);

config::Json document_of(const Artifact& artifact);

}  // namespace pare
