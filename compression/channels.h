// Channels: which channels of a network live and die together.
//
// A convolution or dense layer makes channels of its own; every other node hands on those of its
// input: one for one, several per channel (depthwise with a multiplier), or several times over
// (flatten). An add makes the channels of its inputs the same. A *unit* is a set of channels that
// are the same in this sense; a *space* holds the units of all makers that adds bring together.
// Structured pruning masks whole units, shrink removes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "layers/network.h"

namespace pare {

struct ChannelSpace {
  std::int64_t units = 0;
  std::vector<std::string> makers;     // conv2d and dense nodes whose outputs they are
  std::vector<std::string> followers;  // other nodes whose outputs they are, in order
  std::vector<std::string> readers;    // conv2d and dense nodes that read them
  bool input = false;                  // the network's input is among them
  bool output = false;                 // the network's output is among them
};

class Channels {
 public:
  explicit Channels(const Network& network);

  const std::vector<ChannelSpace>& spaces() const { return spaces_; }
  // Index of the space that the node's output ("input" allowed) belongs to.
  std::size_t space_of(std::string_view node) const { return entry(node).space; }
  // The unit of each channel (each feature of a flat output) of the node's output.
  const std::vector<std::int32_t>& units_of(std::string_view node) const {
    return entry(node).units;
  }

 private:
  struct Entry {
    std::string node;
    std::size_t space;
    std::vector<std::int32_t> units;
  };
  const Entry& entry(std::string_view node) const;

  std::vector<ChannelSpace> spaces_;
  std::vector<Entry> entries_;  // "input", then every node in order
};

}  // namespace pare
