//! Generic netlink: family numbers by name, and the ethtool family.
