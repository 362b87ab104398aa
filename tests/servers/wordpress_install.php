<?php // Sets up an empty site and prints an application password of its administrator.
(new mysqli('localhost', 'root', '', '', 0, getenv('WORDPRESS_SOCKET')))->query('CREATE DATABASE wordpress');
$_SERVER['HTTP_HOST'] = parse_url(getenv('WORDPRESS_URL'), PHP_URL_HOST);
define('WP_INSTALLING', true);
function wp_new_blog_notification() {} // sends no mail
require __DIR__ . '/wordpress_config.php';
require ABSPATH . 'wp-admin/includes/upgrade.php';

wp_install('Neighbourhoods', 'admin', 'admin@example.org', true, '', 'a password of a test');
wp_delete_post(1, true); // "Hello world!", and its comment
$options = ['permalink_structure' => '/%postname%/', 'posts_per_rss' => 100, 'comment_moderation' => 0,
    'comment_previously_approved' => 0, 'comments_notify' => 0, 'moderation_notify' => 0];
foreach ($options as $name => $value) {
    update_option($name, $value);
}
flush_rewrite_rules();
echo WP_Application_Passwords::create_new_application_password(1, ['name' => 'tests'])[0];
