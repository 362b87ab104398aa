<?php // Hands every request of PHP's own web server to WordPress, as its index.php would.
register_shutdown_function(fn() => error_log(http_response_code() . ' ' . $_SERVER['REQUEST_URI']));
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
define('WP_USE_THEMES', true);
require __DIR__ . '/wordpress_config.php';
wp();
require ABSPATH . WPINC . '/template-loader.php';
