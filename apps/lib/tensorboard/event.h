// Event: what one record of an event file says. Encoded by hand in the wire format of protocol
// buffers; the field numbers are those of TensorFlow's event.proto, summary.proto and tensor.proto,
// of which we write the few that TensorBoard reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pare::tensorboard {

struct Scalar {
  std::string tag;
  float value;
};

// Bucket i holds the values in (limits[i-1], limits[i]].
struct Distribution {
  std::string tag;
  double min = 0, max = 0, count = 0, sum = 0, sum_squares = 0;
  std::vector<double> limits = {}, buckets = {};  // of the same size
};

struct Text {
  std::string tag;
  std::string markdown;
};

struct Event {
  double wall_time = 0;   // seconds since 1970
  std::int64_t step = 0;  // updates of the run; at least 0
  std::vector<Scalar> scalars = {};
  std::vector<Distribution> distributions = {};
  std::vector<Text> texts = {};
};

// The payload of a record.
std::vector<std::byte> encode(const Event& event);

// The payload that every event file begins with.
std::vector<std::byte> encode_version(double wall_time);

}  // namespace pare::tensorboard
