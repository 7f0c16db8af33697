// Numbers of TensorFlow Lite's public schema (schema.fbs, version 3): ids of fields, operators,
// types. Only what integer programs need.
#pragma once

#include <cstdint>

namespace pare::tflite {

inline constexpr char kIdentifier[] = "TFL3";
inline constexpr std::uint32_t kVersion = 3;

namespace model {
inline constexpr int version = 0, operator_codes = 1, subgraphs = 2, description = 3, buffers = 4;
}
namespace operator_code {
inline constexpr int deprecated_builtin = 0, version = 2, builtin = 3;
}
namespace subgraph {
inline constexpr int tensors = 0, inputs = 1, outputs = 2, operators = 3, name = 4;
}
namespace tensor {
inline constexpr int shape = 0, type = 1, buffer = 2, name = 3, quantization = 4;
}
namespace quantization {
inline constexpr int scale = 2, zero_point = 3, dimension = 6;
}
namespace operation {
inline constexpr int opcode = 0, inputs = 1, outputs = 2, options_type = 3, options = 4;
}
namespace buffer {
inline constexpr int data = 0;
}

// Options, by their union's number.
namespace conv2d {
inline constexpr int type = 1, padding = 0, stride_w = 1, stride_h = 2, activation = 3;
}
namespace depthwise {
inline constexpr int type = 2, padding = 0, stride_w = 1, stride_h = 2, multiplier = 3,
                     activation = 4;
}
namespace pool {
inline constexpr int type = 5, padding = 0, stride_w = 1, stride_h = 2, filter_w = 3, filter_h = 4,
                     activation = 5;
}
namespace fully_connected {
inline constexpr int type = 8, activation = 0;
}
namespace addition {
inline constexpr int type = 11, activation = 0;
}
namespace reshape {
inline constexpr int type = 17, new_shape = 0;
}
namespace pad {
inline constexpr int type = 22;
}
namespace reducer {
inline constexpr int type = 27, keep_dims = 0;
}
namespace quantize {
inline constexpr int type = 89;
}

enum class Builtin : std::int32_t {
  add = 0,
  average_pool = 1,
  conv2d = 3,
  depthwise_conv2d = 4,
  fully_connected = 9,
  max_pool = 17,
  relu = 19,
  relu6 = 21,
  reshape = 22,
  pad = 34,
  mean = 40,
  quantize = 114,
};
enum class Type : std::int8_t { float32 = 0, int32 = 2, uint8 = 3, int8 = 9 };
enum class Padding : std::int8_t { same = 0, valid = 1 };
enum class Activation : std::int8_t { none = 0, relu = 1, relu6 = 3 };

}  // namespace pare::tflite
