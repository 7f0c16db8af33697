// The five networks of the inference benchmarks, as integer programs with random weights: times
// depend on shapes only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compression/integer/program.h"

namespace pare::bench {

// N1: LeNet-300-100. N2: conv 32 3x3, pool, dense 128 (the document's CNN). N3: Caffe's LeNet-5.
// N4: conv 16, pool, conv 32, pool, dense 1024 on 32 x 32 x 3. N5: ResNet-20 with 1x1 shortcuts.
// `share`: 2 gives half of the filters and units of every hidden layer. Throws ConfigError for
// another name.
integer::Program network(const std::string& name, std::int32_t share = 1);
const std::vector<std::string>& network_names();

// Inputs for them: any codes do.
std::vector<std::int8_t> some_codes(std::int64_t count);

}  // namespace pare::bench
