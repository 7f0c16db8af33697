// SHA-256 against the examples of FIPS 180-4 (csrc.nist.gov, SHA256.pdf) and the NIST long message.
#include "framework/io/sha256.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace pare {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST_CASE("SHA-256 gives the digests of the FIPS examples") {
  CHECK(hex(sha256(bytes_of(""))) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256({}) == sha256(bytes_of("")));  // no pointer either
  CHECK(hex(sha256(bytes_of("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex(sha256(bytes_of(std::string(1'000'000, 'a')))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 does not depend on how the bytes are cut into updates") {
  const std::string text(200, 'x');
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const auto all = bytes_of(text).first(length);
    const auto expected = sha256(all);
    for (std::size_t piece : {1, 3, 63, 64, 65}) {
      Sha256 hash;
      for (std::size_t i = 0; i < length; i += piece) {
        hash.update(all.subspan(i, std::min(piece, length - i)));
      }
      CHECK(hash.digest() == expected);
    }
  }
}

}  // namespace
}  // namespace pare
