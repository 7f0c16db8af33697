// Magic number, version, length, and a parser of the one dictionary that may follow.
#include "datasets/npy_header.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "framework/base/error.h"

namespace pare {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kLongestHeader = 65536;  // NumPy's own are below 200 bytes
constexpr std::size_t kMostAxes = 32;

// {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), } and white space.
class Dictionary {
 public:
  Dictionary(std::string_view text, const std::string& path) : text_(text), path_(path) {}

  NpyHeader parse() {
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      value(key);
      if (accept('}')) break;
      expect(',');
    }
    skip_space();
    if (at_ != text_.size() || !type_ || !fortran_ || !extents_) fail();
    if (*fortran_ && extents_->size() > 1) {
      throw DataError(path_ +
                      ": expected C order, got an array in Fortran order; save "
                      "numpy.ascontiguousarray(x)");
    }
    return {*std::move(type_), *std::move(extents_)};
  }

 private:
  [[noreturn]] void fail() const {
    throw DataError(path_ +
                    ": expected a header as numpy.save writes it, {'descr': '|u1', "
                    "'fortran_order': False, 'shape': (10, 28, 28), }, got something else at "
                    "character " +
                    std::to_string(at_) + " of it");
  }

  void value(const std::string& key) {
    if (key == "descr" && !type_) {
      type_ = quoted();
    } else if (key == "fortran_order" && !fortran_) {
      fortran_ = boolean();
    } else if (key == "shape" && !extents_) {
      extents_ = tuple();
    } else {
      fail();
    }
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_space();
    const bool there = at_ < text_.size() && text_[at_] == c;
    at_ += there;
    return there;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }

  std::string quoted() {
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail();
    std::string word(text_.substr(at_, end - at_));
    const auto plain = [](char c) { return c >= ' ' && c <= '~' && c != '\\'; };
    if (!std::all_of(word.begin(), word.end(), plain)) fail();
    at_ = end + 1;
    return word;
  }

  bool boolean() {
    skip_space();
    for (const std::string_view word : {"True", "False"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return word == "True";
    }
    fail();
  }

  std::int64_t number() {
    skip_space();
    std::int64_t number = 0;
    const std::size_t first = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      number = number * 10 + (text_[at_] - '0');
      if (number > static_cast<std::int64_t>(DataFile::kLargest)) fail();
    }
    if (at_ == first) fail();
    return number;
  }

  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> extents;
    expect('(');
    while (!accept(')')) {
      extents.push_back(number());
      if (extents.size() > kMostAxes) fail();
      if (accept(',')) continue;
      if (extents.size() < 2) fail();  // (5) is a number, (5,) a tuple
      expect(')');
      break;
    }
    return extents;
  }

  std::string_view text_;
  const std::string& path_;
  std::size_t at_ = 0;
  std::optional<std::string> type_;
  std::optional<bool> fortran_;
  std::optional<std::vector<std::int64_t>> extents_;
};

void read_all(DataFile& file, std::span<std::uint8_t> out) {
  if (file.read(out) == out.size()) return;
  throw DataError(file.path() + ": the file ends inside its header; copy or write it again");
}

// Little-endian, 2 bytes in version 1, 4 later.
std::size_t read_length(DataFile& file, std::size_t bytes) {
  std::array<std::uint8_t, 4> length{};
  read_all(file, std::span(length).first(bytes));
  return length[0] | length[1] << 8 | length[2] << 16 | std::size_t{length[3]} << 24;
}

void require_possible_count(const NpyHeader& header, const std::string& path) {
  std::uint64_t count = 1;
  for (const std::int64_t extent : header.extents) {
    count *= static_cast<std::uint64_t>(extent);  // 2^31 times 2^31 at most
    if (count <= DataFile::kLargest) continue;
    throw DataError(path + ": its header claims more than 2^31 values; copy or write it again");
  }
}

}  // namespace

std::uint64_t NpyHeader::count() const {
  std::uint64_t count = 1;
  for (const std::int64_t extent : extents) count *= static_cast<std::uint64_t>(extent);
  return count;
}

std::string NpyHeader::shape() const {
  std::string text;
  for (const std::int64_t extent : extents) text += ", " + std::to_string(extent);
  return "[" + (text.empty() ? "" : text.substr(2)) + "]";
}

NpyHeader read_npy_header(DataFile& file) {
  std::array<std::uint8_t, 8> start{};
  const std::size_t got = file.read(start);
  if (got < start.size() ||
      !std::equal(kMagic.begin(), kMagic.end(), start.begin(),
                  [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; })) {
    throw DataError(file.path() +
                    ": expected a .npy file as numpy.save writes it, got another "
                    "kind of file (.npz holds several: save each array by itself)");
  }
  const int version = start[6];
  if (version < 1 || version > 3 || start[7] != 0) {
    throw DataError(file.path() + ": expected version 1.0, 2.0 or 3.0 of the .npy format, got " +
                    std::to_string(version) + "." + std::to_string(start[7]));
  }
  const std::size_t length = read_length(file, version == 1 ? 2 : 4);
  if (length > kLongestHeader) {
    throw DataError(file.path() + ": expected a header of at most " +
                    std::to_string(kLongestHeader) + " bytes, got " + std::to_string(length));
  }
  std::string text(length, ' ');
  read_all(file, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
  NpyHeader header = Dictionary(text, file.path()).parse();
  require_possible_count(header, file.path());
  return header;
}

}  // namespace pare
