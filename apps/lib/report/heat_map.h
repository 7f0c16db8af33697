// Weight matrices as pictures: one row per output channel, one column per weight that leads to it,
// so that what pruning left can be seen. Small ones show every weight with its sign and size;
// larger ones show, for each block of weights, how many of them are not zero, and say so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pare::report {

struct WeightMatrix {
  std::string name;
  std::string shape;  // of the weight, for people: "64 x 3 x 3 x 32"
  std::int64_t rows = 0, columns = 0;
  std::vector<float> values;       // rows x columns, as the network computes with them
  std::vector<std::uint8_t> keep;  // 0: masked; as many
};

// A <figure>. Its picture is never scaled down: it scrolls where there is no room.
std::string to_html(const WeightMatrix& matrix);

}  // namespace pare::report
