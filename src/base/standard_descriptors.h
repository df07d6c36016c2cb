// The descriptors 0 to 2, which a program may be started without.
#pragma once

namespace sluice {

/// Opens /dev/null for those of stdin, stdout and stderr that are closed: whatever is opened next
/// would be taken for them. At the start of main, before anything else is opened.
void open_standard_descriptors();

}  // namespace sluice
