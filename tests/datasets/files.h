// What the data set tests share: a temporary folder, IDX files and gzip streams made on the spot,
// and a world in which nothing but that folder can be found.
#pragma once

#include <unistd.h>
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "framework/base/error.h"

namespace pare::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes idx_file(std::initializer_list<std::uint32_t> extents, const Bytes& values) {
  Bytes file = {0, 0, 0x08, static_cast<std::uint8_t>(extents.size())};
  for (const std::uint32_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      file.push_back(static_cast<std::uint8_t>(extent >> shift));
    }
  }
  file.insert(file.end(), values.begin(), values.end());
  return file;
}

// As numpy.save writes it; `shape` as Python does: "(2, 3)", "(2,)".
inline Bytes npy_file(const std::string& type, const std::string& shape, const Bytes& values) {
  std::string header =
      "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(117, ' ');
  header += '\n';
  Bytes file = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, 118, 0};
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), values.begin(), values.end());
  return file;
}

// Little-endian, as numbers lie in memory.
template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  Bytes bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

inline Bytes gzip(const Bytes& bytes) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&z, bytes.size()) + 64);
  z.next_in = const_cast<Bytef*>(bytes.data());
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = out.data();
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// 0, 1, 2, ... modulo 251: no two neighbouring rows look alike.
inline Bytes counting(std::size_t count, unsigned start = 0) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>((i + start) % 251);
  return bytes;
}

// Records of the labels given, with pixels that count from `start` on.
inline Bytes cifar_records(const std::vector<Bytes>& labels, unsigned start) {
  Bytes file;
  for (const Bytes& label : labels) {
    const Bytes pixels = counting(3072, start++);
    file.insert(file.end(), label.begin(), label.end());
    file.insert(file.end(), pixels.begin(), pixels.end());
  }
  return file;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "pare_data_XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }
  // Makes the folders on the way; returns the full path.
  std::string put(const std::string& name, const Bytes& bytes) const {
    const std::filesystem::path full = std::filesystem::path(path_) / name;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return full.string();
  }
  // Four small files of 28 x 28 images; the labels of `train` run through all ten classes.
  void put_mnist(const std::string& folder, std::uint32_t train, std::uint32_t test) const {
    put_pair(folder + "/train", train, 1);
    put_pair(folder + "/t10k", test, 2);
  }

 private:
  void put_pair(const std::string& start, std::uint32_t count, unsigned seed) const {
    Bytes labels(count);
    for (std::uint32_t i = 0; i < count; ++i) labels[i] = static_cast<std::uint8_t>(i % 10);
    put(start + "-images-idx3-ubyte", idx_file({count, 28, 28}, counting(count * 784, seed)));
    put(start + "-labels-idx1-ubyte.gz", gzip(idx_file({count}, labels)));
  }
  std::string path_;
};

// An environment variable for the time of a test.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  ~Environment() {
    if (old_) {
      ::setenv(name_, old_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

// The current folder and all that the environment names are one empty temporary folder.
struct Nowhere {
  TemporaryFolder folder;
  Environment data{"PARE_DATA", ""};
  Environment cache{"XDG_CACHE_HOME", ""};
  Environment home{"HOME", folder.path()};
  std::filesystem::path before = std::filesystem::current_path();
  Nowhere() { std::filesystem::current_path(folder.path()); }
  ~Nowhere() { std::filesystem::current_path(before); }
};

// The message of the error that `action` ends in, or "" where it succeeds.
template <class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace pare::test
