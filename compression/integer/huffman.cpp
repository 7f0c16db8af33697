#include "compression/integer/huffman.h"

#include <algorithm>
#include <queue>

namespace pare::integer {
namespace {

// The depths of Huffman's tree; ties are settled by age, so that equal counts give equal lengths
// everywhere.
std::vector<std::uint8_t> depths_of(const std::vector<std::uint64_t>& counts) {
  struct Tree {
    std::uint64_t count;
    std::size_t age;
    bool operator>(const Tree& other) const {
      return count != other.count ? count > other.count : age > other.age;
    }
  };
  std::priority_queue<Tree, std::vector<Tree>, std::greater<>> queue;
  std::vector<std::size_t> parent(counts.size(), 0);  // grows by the inner nodes
  for (std::size_t s = 0; s < counts.size(); ++s) {
    if (counts[s] > 0) queue.push({counts[s], s});
  }
  std::vector<std::uint8_t> depths(counts.size(), 0);
  if (queue.size() == 1) depths[queue.top().age] = 1;
  if (queue.size() <= 1) return depths;
  while (queue.size() > 1) {
    const Tree a = queue.top();
    queue.pop();
    const Tree b = queue.top();
    queue.pop();
    parent[a.age] = parent[b.age] = parent.size();
    queue.push({a.count + b.count, parent.size()});
    parent.push_back(0);
  }
  // Parents are younger than their children: the root is the last one.
  std::vector<std::uint32_t> depth(parent.size(), 0);
  for (std::size_t node = parent.size() - 1; node-- > 0;) {
    if (parent[node] != 0) depth[node] = depth[parent[node]] + 1;
  }
  for (std::size_t s = 0; s < counts.size(); ++s) {
    depths[s] = static_cast<std::uint8_t>(std::min<std::uint32_t>(depth[s], 255));
  }
  return depths;
}

}  // namespace

HuffmanCode::HuffmanCode(std::vector<std::uint8_t> lengths)
    : lengths_(std::move(lengths)), codes_(lengths_.size()) {
  for (const std::uint8_t length : lengths_) ++count_[length];
  count_[0] = 0;
  for (int length = 1; length <= kLongestCode; ++length) {
    first_[length] = (first_[length - 1] + count_[length - 1]) << 1;
    begin_[length] = begin_[length - 1] + count_[length - 1];
    std::uint32_t next = first_[length];
    for (std::uint32_t s = 0; s < lengths_.size(); ++s) {
      if (lengths_[s] != length) continue;
      for (int bit = 0; bit < length; ++bit) codes_[s] |= (next >> bit & 1) << (length - 1 - bit);
      ++next;
      ordered_.push_back(s);
    }
  }
}

HuffmanCode HuffmanCode::of(std::vector<std::uint64_t> counts) {
  for (;;) {
    std::vector<std::uint8_t> lengths = depths_of(counts);
    if (std::ranges::all_of(lengths, [](std::uint8_t l) { return l <= kLongestCode; })) {
      return HuffmanCode(std::move(lengths));
    }
    for (std::uint64_t& count : counts) count = (count + 1) / 2;
  }
}

std::optional<HuffmanCode> HuffmanCode::read(BitReader& reader, std::size_t symbols) {
  if (reader.left() < static_cast<std::int64_t>(4 * symbols)) return std::nullopt;
  std::vector<std::uint8_t> lengths;
  std::uint32_t used = 0, present = 0;  // in 2^-kLongestCode of all bit patterns
  for (std::size_t s = 0; s < symbols; ++s) {
    lengths.push_back(static_cast<std::uint8_t>(reader.read(4)));
    if (lengths.back() == 0) continue;
    ++present;
    used += 1u << (kLongestCode - lengths.back());
  }
  const std::uint32_t expected = present == 1 ? 1u << (kLongestCode - 1) : 1u << kLongestCode;
  if (present == 0 || used != expected) return std::nullopt;
  return HuffmanCode(std::move(lengths));
}

void HuffmanCode::write(BitWriter& writer) const {
  for (const std::uint8_t length : lengths_) writer.write(length, 4);
}

void HuffmanCode::encode(BitWriter& writer, std::uint32_t symbol) const {
  writer.write(codes_[symbol], lengths_[symbol]);
}

std::optional<std::uint32_t> HuffmanCode::decode(BitReader& reader) const {
  std::uint32_t code = 0;
  for (int length = 1; length <= kLongestCode; ++length) {
    if (reader.left() == 0) return std::nullopt;
    code = code << 1 | reader.read(1);
    if (code - first_[length] < count_[length]) {
      return ordered_[begin_[length] + code - first_[length]];
    }
  }
  return std::nullopt;
}

}  // namespace pare::integer
