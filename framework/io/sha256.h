// SHA-256 (FIPS 180-4) for checkpoints, data sets and downloads, by OpenSSL's libcrypto, which uses
// the processor's instructions for it. It detects damage; it proves nothing about who wrote a file.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct evp_md_ctx_st;  // libcrypto's EVP_MD_CTX

namespace pare {

using Digest = std::array<std::byte, 32>;

class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  // Ends the computation; the object must not be used afterwards.
  Digest digest();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Digest sha256(std::span<const std::byte> bytes);
std::string hex(std::span<const std::byte> bytes);  // lower case, two digits a byte

}  // namespace pare
