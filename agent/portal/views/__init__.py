"""The portal's views: thin; what they show is put together in the modules beside this package."""
